#include "events/entries.h"

#include <errno.h>
#include <signal.h>

#include "checkpoint/stop.h"
#include "events/host.h"
#include "sys/futex.h"

namespace cairn::events {
namespace {

using sys::call_unchecked;

enum Armed : uint32_t { no = 0, yes = 1, ends = 2 };

constexpr uint32_t attempts = 200;
uint32_t lock = 0;  // bytes of two functions may be in one page

/// A handler of the application's may call the function, too, and would wait for the thread that it interrupts.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    uint64_t all = ~uint64_t{0};
    call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, 8);
  }
  ~SignalsBlocked() { call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, 8); }

 private:
  uint64_t before_ = 0;
};

/// True: this was the one that has put it back.
bool take_out(cairn_entry* entry) {
  SignalsBlocked blocked;
  uint32_t armed = yes;
  if (!__atomic_compare_exchange_n(&entry->armed, &armed, ends, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    while (sys::load(&entry->armed) == ends) sys::wait_while(&entry->armed, ends, 0);
    return false;
  }
  for (uint32_t free = 0; !__atomic_compare_exchange_n(&lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED); free = 0) {
    sys::wait_while(&lock, 1, 0);
  }
  put_entry_back(entry);
  sys::store_and_wake(&lock, 0);
  sys::store_and_wake(&entry->armed, no);
  return true;
}

struct Change {
  cairn_entry* const* entries;
  uint32_t count;
  void (*meanwhile)(void* context);
  void* context;
  uint64_t done;  // a bit for each that was not armed before
};

/// Where bytes change no thread may stand behind the first.
bool stands_within(const cairn_entry& entry, uint64_t here) {
  const uint64_t start = reinterpret_cast<uintptr_t>(entry.function);
  return here > start && here < start + (entry.each != 0 ? entry.moved : entry_size());
}

bool is_ending(const Change& to) {
  for (uint32_t at = 0; at < to.count; ++at) {
    if (sys::load(&to.entries[at]->armed) == ends) return true;
  }
  return sys::load(&lock) != 0;
}

int32_t change_all(Change* to);

int32_t change(void* context, const checkpoint::Stop& stop) {
  auto& to = *static_cast<Change*>(context);
  // A thread that stands within putting one back would write where it may no longer.
  if (is_ending(to)) return -EAGAIN;
  for (uint32_t i = 0; i < stop.thread_count(); ++i) {
    const checkpoint::ThreadState& thread = stop.thread(i);
    for (uint32_t at = 0; thread.stopped && at < to.count; ++at) {
      if (stands_within(*to.entries[at], sys::processor::instruction_of(thread.registers))) return -EAGAIN;
    }
  }
  return change_all(&to);
}

/// The same, before the threads of a restarted process run. Who stands where bytes are moved goes on where they are then.
int32_t change_restarting(Change* to) {
  if (is_ending(*to)) return -EAGAIN;
  for (uint32_t i = 0; i < facts().thread_count; ++i) {
    uint64_t* here = facts().thread_instruction(i);
    for (uint32_t at = 0; here != nullptr && at < to->count; ++at) {
      const cairn_entry& entry = *to->entries[at];
      if (sys::load(&entry.armed) != no || !stands_within(entry, *here)) continue;
      if (entry.each == 0) return -EAGAIN;
      *here += reinterpret_cast<uintptr_t>(entry.original) - reinterpret_cast<uintptr_t>(entry.function);
    }
  }
  return change_all(to);
}

int32_t change_all(Change* given) {
  Change& to = *given;
  if (to.meanwhile != nullptr) to.meanwhile(to.context);
  for (uint32_t at = 0; at < to.count; ++at) {
    cairn_entry* entry = to.entries[at];
    if (sys::load(&entry->armed) != no) continue;
    int32_t result = change_entry(entry);
    if (result < 0) return result;
    __atomic_store_n(&entry->armed, yes, __ATOMIC_RELEASE);
    to.done |= uint64_t{1} << at;
  }
  return 0;
}

}  // namespace

int32_t arm_entries(cairn_entry* const* entries, uint32_t count, void (*meanwhile)(void* context), void* context, sys::Error* error) {
  if (count > 64) return -E2BIG;
  for (uint32_t at = 0; at < count; ++at) {
    int32_t result = entries[at]->size < sizeof(cairn_entry) ? -EINVAL : prepare_entry(entries[at]);
    if (result < 0) {
      error->set(result, "function")
          .add(result == -ENOTSUP      ? "functions of 32-bit programs cannot be entered"
               : result == -EOPNOTSUPP ? "the function begins with instructions that Cairn does not know how to move"
               : result == -EINVAL     ? "the plugin was built for another cairn_entry"
               : result == -EACCES     ? "this system forbids memory that holds code"
                                       : "near the function there is no room for code of Cairn's");
      return result;
    }
  }
  Change to = {entries, count, meanwhile, context, 0};
  const bool restarting = facts().thread_instruction != nullptr;
  int32_t result = restarting ? change_restarting(&to) : -EAGAIN;
  for (uint32_t attempt = 0; !restarting && attempt < attempts && result == -EAGAIN; ++attempt) {
    error->clear();
    result = facts().while_stopped(change, &to, error);
    struct timespec pause = {0, 1'000'000};
    if (result == -EAGAIN) call_unchecked(SYS_nanosleep, &pause, nullptr);
  }
  if (result >= 0) return 0;
  for (uint32_t at = 0; at < count; ++at) {
    if ((to.done >> at & 1) != 0) (void)disarm_entry(entries[at]);
  }
  if (!error->failed()) {
    error->set(result, "function")
        .add(result == -EAGAIN   ? "a thread is always at the function's very beginning"
             : result == -EACCES ? "this system forbids to change the program's code"
                                 : "the threads could not be stopped for it");
  }
  return result;
}

int32_t disarm_entry(cairn_entry* entry) {
  // Another entry of the same function stands in front of it, and will put back its jump.
  if (entry->each != 0 && sys::load(&entry->armed) == yes && !stands_in_front(*entry)) return 0;
  return take_out(entry) ? 1 : 0;
}

void forget_entries() { lock = 0; }

}  // namespace cairn::events

extern "C" uint32_t cairn_entry_reached(cairn_entry* entry, const uint64_t* arguments) {
  int before = errno;
  uint32_t result = entry->each != 0 || cairn::events::take_out(entry) ? entry->entered(entry, arguments) : static_cast<uint32_t>(CAIRN_ENTRY_GO_ON);
  errno = before;
  return result;
}
