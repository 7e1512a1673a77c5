#include "agent/sections.h"

#include <errno.h>

#include "sys/futex.h"

namespace cairn::agent {
namespace {

constexpr uint64_t kept_ns = 200'000'000;        // a section that begins
constexpr uint64_t asks_again_ns = 500'000'000;  // a checkpoint that is still there

}  // namespace

int32_t Sections::enter(uint64_t owner, const char* what) {
  for (uint32_t i = 0, used = sys::load(&used_); i < used; ++i) {
    Entry& entry = entries_[i];
    if (__atomic_load_n(&entry.owner, __ATOMIC_ACQUIRE) != owner) continue;
    // Of this thread alone; the entry may be given back by another one only when it is at 0.
    uint32_t depth = __atomic_load_n(&entry.depth, __ATOMIC_ACQUIRE);
    while (depth != 0 && !__atomic_compare_exchange_n(&entry.depth, &depth, depth + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
    if (depth == 0) break;
    __atomic_add_fetch(&count_, 1, __ATOMIC_SEQ_CST);
    return 0;
  }
  if (sys::load(&keeps_out_) != 0) {
    uint64_t now = sys::now_ns(), until = __atomic_load_n(&kept_until_, __ATOMIC_RELAXED);
    if (now < until) (void)sys::wait_while(&keeps_out_, 1, until - now < kept_ns ? until : now + kept_ns);
  }
  for (uint32_t i = 0; i < capacity; ++i) {
    Entry& entry = entries_[i];
    uint64_t free = 0;
    if (!__atomic_compare_exchange_n(&entry.owner, &free, owner, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    for (uint32_t used = sys::load(&used_); used <= i && !__atomic_compare_exchange_n(&used_, &used, i + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);) {
    }
    __atomic_add_fetch(&count_, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&entry.depth, 1, __ATOMIC_RELEASE);
    sys::TextBuilder(entry.what, sizeof entry.what).add(what != nullptr ? what : "");
    entry.since_ns = sys::now_ns();
    __atomic_store_n(&entry.named, 1, __ATOMIC_RELEASE);
    return 0;
  }
  return -ENOSPC;
}

int32_t Sections::leave(uint64_t owner) {
  // While some are open the looks may miss them all, where they are left and entered at that moment. Not for ever: this may be a signal
  // handler in a thread that is just entering one.
  for (uint32_t looks = 0; looks < 1000; ++looks) {
    if (leave_one(owner)) return 0;
    if (!any()) return -EINVAL;
  }
  return -EINVAL;
}

bool Sections::leave_one(uint64_t owner) {
  for (uint32_t own = 1;; own = 0) {
    for (uint32_t i = 0, used = sys::load(&used_); i < used; ++i) {
      Entry& entry = entries_[i];
      uint64_t holder = __atomic_load_n(&entry.owner, __ATOMIC_ACQUIRE);
      if (holder == 0 || (own != 0 && holder != owner)) continue;
      uint32_t depth = __atomic_load_n(&entry.depth, __ATOMIC_ACQUIRE);
      while (depth != 0 && !__atomic_compare_exchange_n(&entry.depth, &depth, depth - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      }
      if (depth == 0) continue;
      if (depth == 1) {
        __atomic_store_n(&entry.named, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&entry.owner, 0, __ATOMIC_RELEASE);
      }
      __atomic_sub_fetch(&count_, 1, __ATOMIC_SEQ_CST);
      return true;
    }
    if (own == 0) return false;
  }
}

bool Sections::open_in(uint64_t owner) const {
  for (uint32_t i = 0, used = sys::load(&used_); i < used; ++i) {
    const Entry& entry = entries_[i];
    if (__atomic_load_n(&entry.owner, __ATOMIC_ACQUIRE) == owner && __atomic_load_n(&entry.depth, __ATOMIC_ACQUIRE) != 0) return true;
  }
  return false;
}

void Sections::keep_out() {
  __atomic_store_n(&kept_until_, sys::now_ns() + asks_again_ns, __ATOMIC_RELAXED);
  __atomic_store_n(&keeps_out_, 1, __ATOMIC_RELEASE);
}

void Sections::end() {
  if (sys::load(&keeps_out_) != 0) sys::store_and_wake(&keeps_out_, 0);
}

void Sections::reset() {
  count_ = used_ = keeps_out_ = 0;
  for (Entry& entry : entries_) entry.owner = entry.depth = entry.named = 0;
}

void Sections::describe(sys::TextBuilder* text) const {
  const Entry* oldest = nullptr;
  for (const Entry& entry : entries_) {
    if (__atomic_load_n(&entry.named, __ATOMIC_ACQUIRE) != 0 && (oldest == nullptr || entry.since_ns < oldest->since_ns)) oldest = &entry;
  }
  text->add("it is in a critical section");
  if (oldest == nullptr) return;
  // It may be left and entered again meanwhile: then the text is of another one, but a text.
  char what[sizeof oldest->what];
  for (uint32_t i = 0; i < sizeof what; ++i) what[i] = oldest->what[i];
  what[sizeof what - 1] = 0;
  if (what[0] != 0) text->add(" (").add(what).add(")");
  uint64_t now = sys::now_ns(), since = oldest->since_ns;
  text->add(", for ").number(static_cast<int64_t>((now > since ? now - since : 0) / 1'000'000)).add(" ms");
}

}  // namespace cairn::agent
