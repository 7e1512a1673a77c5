// Owns: the words of priority-inheriting futexes; see pi_words.h.
#include "pid/pi_words.h"

#include <linux/futex.h>

#include "common/monotonic.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/mutex_words.h"

namespace cairn::pid {

namespace {

/// A word for which threads have waited. What stands in it at a checkpoint, and whose it is then by the virtual id.
struct Noted {
  uint64_t address;
  uint32_t word;
  int32_t owner;
};
constexpr uint32_t places = 4096;
constexpr uint32_t tries = 32;  // a word stands in one of so many places, from that of its hash on
Noted noted[places];
bool used = false;
bool whole = true;  // none was left out

constexpr uint32_t id_mask = FUTEX_TID_MASK;
int32_t id_in(uint32_t word) { return static_cast<int32_t>(word & id_mask); }
uint32_t with_id(uint32_t word, int32_t id) { return (word & ~id_mask) | static_cast<uint32_t>(id); }

bool is_awaited(uint64_t address) {
  uint32_t word = 0;
  return peek(address, &word, sizeof word) && (word & FUTEX_WAITERS) != 0;
}

bool put(uint64_t* place, uint64_t there, uint64_t address) {
  return __atomic_compare_exchange_n(place, &there, address, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/// True if it was not noted before.
bool note(const uint32_t* word) {
  uint64_t address = reinterpret_cast<uintptr_t>(word);
  uint32_t hash = static_cast<uint32_t>(address >> 2) * 0x9e3779b9u >> 20;
  __atomic_store_n(&used, true, __ATOMIC_RELAXED);
  auto place = [&](uint32_t attempt) { return &noted[(hash + attempt) % places].address; };
  for (uint32_t attempt = 0; attempt < tries; ++attempt) {
    if (__atomic_load_n(place(attempt), __ATOMIC_ACQUIRE) == address) return false;
  }
  for (uint32_t attempt = 0; attempt < tries; ++attempt) {
    if (put(place(attempt), 0, address)) return true;
  }
  // In place of one that nobody waits for any more.
  for (uint32_t attempt = 0; attempt < tries; ++attempt) {
    uint64_t there = __atomic_load_n(place(attempt), __ATOMIC_ACQUIRE);
    if (!is_awaited(there) && put(place(attempt), there, address)) return true;
  }
  __atomic_store_n(&whole, false, __ATOMIC_RELAXED);
  return true;
}

/// What was written under an id that was real before a restart, or while nobody translated it.
bool exchange_id(uint32_t* word, int32_t from, int32_t to) {
  uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
  while (id_in(seen) == from) {
    if (__atomic_compare_exchange_n(word, &seen, with_id(seen, to), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return true;
  }
  return false;
}

/// A word with FUTEX_WAITERS that nobody had noted, as before an attach: it may have the id of then.
void find_unnoted(uint32_t* word) {
  int32_t id = id_in(__atomic_load_n(word, __ATOMIC_RELAXED));
  if (id == 0 || !active() || is_taken(id)) return;
  exchange_id(word, id, to_real(Space::id, id));
}

/// Before a thread is to wait for what another one has: the word as the kernel takes it.
void for_kernel(uint32_t* word) {
  bool fresh = note(word);
  uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
  if ((seen & FUTEX_WAITERS) != 0 && fresh) find_unnoted(word);
  while (id_in(seen) != 0 && (seen & FUTEX_WAITERS) == 0) {
    uint32_t before = generation();
    int32_t owner = id_in(seen), real = to_real(Space::id, owner);
    if (!__atomic_compare_exchange_n(word, &seen, with_id(seen, real) | FUTEX_WAITERS, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    // A restart in between took the word for a virtual id.
    if (generation() != before) exchange_id(word, real, to_real(Space::id, owner));
    return;
  }
}

/// What the kernel has taken for this thread, and nobody waits for, is the program's again.
void for_program(uint32_t* word, int32_t real, int32_t virtual_id) {
  auto seen = static_cast<uint32_t>(real);
  if (real != virtual_id) __atomic_compare_exchange_n(word, &seen, static_cast<uint32_t>(virtual_id), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/// Between a look at the word and the kernel's own, another thread may take the word, under its virtual id: then the kernel knows nobody
/// (ESRCH), or takes whoever has that number today for the owner. Once the word is right again, those who come by it are refused (EINVAL)
/// until nobody waits any more for the wrong one: waits end by themselves after a piece, and begin anew.
class Misled {
 public:
  /// True: after a moment the call may go better.
  bool again(uint32_t* word, long result) {
    if ((result != -ESRCH && result != -EINVAL) || !active() || attempts_++ == most) return false;
    find_unnoted(word);
    if (attempts_ > 1) pause();
    // Somebody who has ended holds it, or there is nothing to be set right.
    return result == -EINVAL || attempts_ < few;
  }

 private:
  static constexpr int most = 500;
  static constexpr int few = 10;
  static void pause() {
    struct timespec time = {0, 1'000'000};
    raw(SYS_nanosleep, pointer(&time));
  }
  int attempts_ = 0;
};

constexpr int64_t piece_ns = 50'000'000;
/// No result of the kernel's: nobody gave the word away in that time.
constexpr long piece_is_over = 1;

/// FUTEX_LOCK_PI and its like, after a restart for a piece of the time: `until` is the end of the wait for the kernel, wide where it is of
/// 64 bits in a program of 32. See Misled.
template <typename Call>
long wait_for_piece(const long* a, clockid_t clock, const void* until, bool wide, Call whole) {
  if (!active()) return whole();
  struct timespec now = {};
  raw(SYS_clock_gettime, clock, pointer(&now));
  int64_t end = plugin::nanoseconds_of(now) + piece_ns;
  if (until != nullptr) {
    int64_t time[2] = {};
    struct timespec narrow = {};
    bool seen = wide ? peek(reinterpret_cast<uintptr_t>(until), time, sizeof time) : peek(reinterpret_cast<uintptr_t>(until), &narrow, sizeof narrow);
    if (!wide) time[0] = narrow.tv_sec, time[1] = narrow.tv_nsec;
    // It ends within the piece, or is for the kernel to refuse.
    bool wrong = !seen || time[1] < 0 || time[1] >= plugin::nanoseconds_in_second;
    if (wrong || time[0] <= end / plugin::nanoseconds_in_second) return whole();
  }
  struct timespec piece = plugin::timespec_of(end);
  long result = raw(SYS_futex, a[0], a[1], a[2], pointer(&piece), a[4], a[5]);
  return result == -ETIMEDOUT ? piece_is_over : result;
}

/// A call by which the thread may get the word. `prepare` says whose it is to the kernel; a result but 0 stands for the call's.
/// One that must not wait, or has got its place in a queue by then, is not begun again.
template <typename Prepare, typename Call>
long take(uint32_t* word, bool may_begin_again, Prepare prepare, Call call) {
  for (Misled misled;;) {
    uint32_t before = generation();
    auto real = static_cast<int32_t>(raw(SYS_gettid));
    long result = prepare();
    if (result == 0) result = call();
    if (result == 0) {
      for_program(word, real, own_tid());
      // A restart came while it waited.
      if (generation() != before) for_program(word, static_cast<int32_t>(raw(SYS_gettid)), own_tid());
    }
    if (result == piece_is_over) continue;
    // The kernel was told of somebody by the id of before.
    if (result == -ESRCH && generation() != before) continue;
    if (!may_begin_again || !misled.again(word, result)) return result;
  }
}

template <typename Call>
long release(uint32_t* word, Call call) {
  int32_t former = 0;
  for (Misled misled;;) {
    uint32_t before = generation();
    auto real = static_cast<int32_t>(raw(SYS_gettid));
    int32_t virtual_id = own_tid();
    uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
    bool by_program = id_in(seen) == virtual_id && ((seen & FUTEX_WAITERS) == 0 || !is_taken(virtual_id));
    if (by_program) exchange_id(word, virtual_id, real);
    else if (former != 0) exchange_id(word, former, real);
    long result = call();
    if (result == -EINVAL && misled.again(word, result)) continue;
    if (result != -EPERM || generation() == before) return result;
    former = real;
  }
}

}  // namespace

bool call_on_pi_word(long number, const long* a, long* result) {
  if (!is_futex(number)) return false;
  int operation = static_cast<int>(a[1]) & FUTEX_CMD_MASK;
  auto* first = reinterpret_cast<uint32_t*>(a[0]);
  auto* second = reinterpret_cast<uint32_t*>(a[4]);
  bool two = operation == FUTEX_WAIT_REQUEUE_PI || operation == FUTEX_CMP_REQUEUE_PI;
  uint32_t* word = two ? second : first;
  // Wrong addresses are the kernel's to refuse.
  uint32_t there = 0;
  if (reinterpret_cast<uintptr_t>(word) % sizeof there != 0 || !peek(reinterpret_cast<uintptr_t>(word), &there, sizeof there)) return false;
  bool monotonic = number == SYS_futex && (operation == FUTEX_LOCK_PI2 || operation == FUTEX_WAIT_REQUEUE_PI) && (a[1] & FUTEX_CLOCK_REALTIME) == 0;
  plugin::Moment moment(monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME, monotonic ? reinterpret_cast<const struct timespec*>(a[3]) : nullptr);
  auto call = [&] { return raw(number, a[0], a[1], a[2], monotonic ? pointer(moment.time()) : a[3], a[4], a[5]); };
  switch (operation) {
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI:
      *result = take(word, operation != FUTEX_TRYLOCK_PI, [&]() -> long {
        uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
        if ((seen & FUTEX_WAITERS) == 0 && id_in(seen) == own_tid()) return -EDEADLK;
        for_kernel(word);
        return 0;
      }, [&] {
        if (operation == FUTEX_TRYLOCK_PI) return call();
        bool by_monotonic = operation == FUTEX_LOCK_PI2 && (a[1] & FUTEX_CLOCK_REALTIME) == 0;
        const void* until = monotonic ? moment.time() : reinterpret_cast<const void*>(a[3]);
        return wait_for_piece(a, by_monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME, until, number != SYS_futex, call);
      });
      return true;
    case FUTEX_WAIT_REQUEUE_PI:
      *result = take(word, false, [&]() -> long { return note(word), 0; }, call);
      return true;
    case FUTEX_CMP_REQUEUE_PI:
      for (Misled misled;;) {
        *result = stable([&] { return for_kernel(word), call(); });
        if (!misled.again(word, *result)) return true;
      }
    case FUTEX_UNLOCK_PI:
      *result = release(word, call);
      return true;
    default: return false;
  }
}

int32_t remember_pi_words() {
  if (!whole) return host->fail(-ENOSPC, "futexes", "Threads wait for more priority-inheriting futexes, by syscall(2), than can be noted.");
  for (uint32_t at = 0; used && at < places; ++at) {
    Noted& entry = noted[at];
    if (entry.address == 0) continue;
    bool awaited = peek(entry.address, &entry.word, sizeof entry.word) && (entry.word & FUTEX_WAITERS) != 0 && id_in(entry.word) != 0;
    // Not noted any more: with the next thread that waits it is again.
    if (!awaited) entry = {};
    else entry.owner = to_virtual(Space::id, id_in(entry.word));
  }
  return 0;
}

void translate_pi_words() {
  for (uint32_t at = 0; used && at < places; ++at) {
    Noted& entry = noted[at];
    uint32_t word = 0;
    if (entry.address == 0 || !peek(entry.address, &word, sizeof word) || word != entry.word) continue;
    // Not twice, where it is in memory of several processes.
    __atomic_compare_exchange_n(reinterpret_cast<uint32_t*>(entry.address), &word, with_id(word, to_real(Space::id, entry.owner)), false,
                                __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
  }
}

void find_awaited_pi_word(uint64_t address) {
  if (is_awaited(address) && note(reinterpret_cast<uint32_t*>(address))) find_unnoted(reinterpret_cast<uint32_t*>(address));
}

}  // namespace cairn::pid
