// Owns: the ids in mutexes' words; see mutex_words.h.
#include "pid/mutex_words.h"

#include <linux/futex.h>
#include <limits.h>
#include <string.h>

#include "pid/host.h"
#include "pid/ids.h"
#include "pid/lent.h"
#include "pid/pi_words.h"

namespace cairn::pid {

namespace {

constexpr uint32_t list_limit = 2048;  // as the kernel's

/// Threads of an earlier life; kept only when a mutex may hold ids of it.
struct Life {
  const Life* earlier;
  uint32_t number;  // restarts before it
  uint32_t count;
  int32_t ids[];  // virtual, real
};
const Life* lives = nullptr;
bool used = false;  // a mutex got real ids in this life
uint32_t renewing = 0;

uint16_t life_now() { return static_cast<uint16_t>(generation()); }

/// Where the life of a mutex's words is noted.
#if __SIZEOF_POINTER__ == 8
uint16_t* life_word(pthread_mutex_t* mutex) { return reinterpret_cast<uint16_t*>(&mutex->__data.__elision); }
#else
// On i386 that word is part of the robust list's; but libc does not use the upper half of the kind.
uint16_t* life_word(pthread_mutex_t* mutex) { return reinterpret_cast<uint16_t*>(&mutex->__data.__kind) + 1; }
#endif
uint16_t life_of(const pthread_mutex_t* mutex) { return __atomic_load_n(life_word(const_cast<pthread_mutex_t*>(mutex)), __ATOMIC_ACQUIRE); }
void set_life(pthread_mutex_t* mutex, uint16_t life) { __atomic_store_n(life_word(mutex), life, __ATOMIC_RELEASE); }

uint32_t* word_of(pthread_mutex_t* mutex) { return reinterpret_cast<uint32_t*>(&mutex->__data.__lock); }

/// Exchanges the id in a word, whatever else changes in it.
bool exchange_id(uint32_t* word, int32_t from, int32_t to) {
  uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
  while ((seen & FUTEX_TID_MASK) == static_cast<uint32_t>(from)) {
    uint32_t fresh = (seen & ~static_cast<uint32_t>(FUTEX_TID_MASK)) | static_cast<uint32_t>(to);
    if (__atomic_compare_exchange_n(word, &seen, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return true;
  }
  return false;
}

int32_t id_in(const uint32_t* word) { return static_cast<int32_t>(__atomic_load_n(word, __ATOMIC_RELAXED) & FUTEX_TID_MASK); }

/// The id of today for one of an earlier life: of the first, that is a virtual one.
int32_t renewed(uint16_t life, int32_t id) {
  if (life == 0) return to_real(Space::id, id);
  for (const Life* at = lives; at != nullptr; at = at->earlier) {
    if (static_cast<uint16_t>(at->number) != life) continue;
    for (uint32_t index = 0; index < at->count; ++index) {
      if (at->ids[2 * index + 1] == id) return to_real(Space::id, at->ids[2 * index]);
    }
  }
  return id;
}

void renew(pthread_mutex_t* mutex, uint16_t from, uint16_t to) {
  int32_t id = id_in(word_of(mutex));
  if (id != 0) exchange_id(word_of(mutex), id, renewed(from, id));
  int32_t owner = __atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
  // The other values stand for a mutex that its owner left behind.
  if (owner > 0 && owner < INT_MAX - 1) __atomic_store_n(&mutex->__data.__owner, renewed(from, owner), __ATOMIC_RELAXED);
  set_life(mutex, to);
}

bool lives_here(int32_t real) { return raw(SYS_tgkill, self_real(), real, 0) != -ESRCH; }

// ---- While no thread runs: memory is read with care, since a list may be anybody's ----

/// Whether memory can be such a mutex of libc's. It is looked at where the kernel is told of a word that may as well be a program's own.
bool may_be_mutex(const pthread_mutex_t& copy) {
  constexpr uint32_t types = 3, shared = 128;
  auto kind = static_cast<uint32_t>(copy.__data.__kind);
#if __SIZEOF_POINTER__ == 8
  if (copy.__data.__spins != 0) return false;
#else
  kind &= 0xffff;
#endif
  return has_kernel_ids(&copy) && (kind & ~(types | kind_robust | kind_inherits | shared)) == 0 && life_of(&copy) <= life_now();
}

/// One entry of a robust list: held by the thread itself, under its virtual id or the one that was real at the checkpoint; or the
/// mutex that it is about to take, which another thread may hold. On a list that is not libc's there are only words.
void translate_entry(uint64_t address, bool of_libc, const int32_t* former, int32_t real) {
  uint32_t word = 0;
  if (address % alignof(uint32_t) != 0 || !peek(address, &word, sizeof word)) return;
  int32_t id = static_cast<int32_t>(word & FUTEX_TID_MASK);
  if (id == 0 || (id != former[0] && id != former[1])) return;
  pthread_mutex_t copy;
  bool known = of_libc && peek(address, &copy, sizeof copy) && may_be_mutex(copy);
  // On its holder's list, and at the head of one who waits for it: the second must not take the first's id of today for its own of then.
  if (known && life_of(&copy) == life_now()) return;
  auto* mutex = reinterpret_cast<pthread_mutex_t*>(address);
  // First, so that no waiter of another process takes the id that comes now for one of its own of then.
  if (known) set_life(mutex, life_now());
  exchange_id(reinterpret_cast<uint32_t*>(address), id, real);
  if (!known) return;
  int32_t owner = mutex->__data.__owner;
  if (owner == former[0] || owner == former[1]) mutex->__data.__owner = real;
  used = true;
}

void translate_list(int32_t tid, const int32_t* former, int32_t real) {
  robust_list_head* head = nullptr;
  size_t size = 0;
  robust_list_head list;
  if (raw(SYS_get_robust_list, tid, pointer(&head), pointer(&size)) < 0 || head == nullptr) return;
  uint64_t first = reinterpret_cast<uintptr_t>(head);
  if (!peek(first, &list, sizeof list)) return;
  bool of_libc = thread_descriptor(tid) != 0;
  auto word_at = [&](uintptr_t entry) { return (entry & ~uintptr_t{1}) + static_cast<uintptr_t>(list.futex_offset); };
  uintptr_t entry = reinterpret_cast<uintptr_t>(list.list.next);
  for (uint32_t count = 0; (entry & ~uintptr_t{1}) != first && count < list_limit; ++count) {
    translate_entry(word_at(entry), of_libc, former, real);
    if (!peek(entry & ~uintptr_t{1}, &entry, sizeof entry)) return;
  }
  uint64_t pending = reinterpret_cast<uintptr_t>(list.list_op_pending);
  if (pending != 0) translate_entry(word_at(pending), of_libc, former, real);
}

/// The mutex for which a thread waits in the kernel.
void translate_awaited(uint32_t thread) {
  int64_t number = 0;
  uint64_t arguments[6], stack = 0;
  if (!thread_call(thread, &number, arguments, &stack) || !is_futex(number)) return;
  int operation = static_cast<int>(arguments[1]) & FUTEX_CMD_MASK;
  pthread_mutex_t copy;
  if (operation != FUTEX_LOCK_PI && operation != FUTEX_LOCK_PI2) return;
  if (!peek(arguments[0], &copy, sizeof copy) || !may_be_mutex(copy)) return find_awaited_pi_word(arguments[0]);
  renew_words(reinterpret_cast<pthread_mutex_t*>(arguments[0]));
}

}  // namespace

bool is_taken(int32_t real) {
  return lives_here(real) || is_member(real);
}

void renew_words(pthread_mutex_t* mutex) {
  while (life_of(mutex) != life_now()) {
    if (__atomic_exchange_n(&renewing, 1, __ATOMIC_ACQUIRE) != 0) {
      raw(SYS_sched_yield);
      continue;
    }
    uint16_t now = life_now(), from = life_of(mutex);
    if (from != now) renew(mutex, from, now);
    __atomic_store_n(&used, true, __ATOMIC_RELAXED);
    __atomic_store_n(&renewing, 0, __ATOMIC_RELEASE);
  }
}

void rename_owner(pthread_mutex_t* mutex, int32_t from, int32_t real) {
  if (from == real) return;
  exchange_id(word_of(mutex), from, real);
  if (id_in(word_of(mutex)) == real && __atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) == from) {
    __atomic_store_n(&mutex->__data.__owner, real, __ATOMIC_RELAXED);
  }
}

void find_owner(pthread_mutex_t* mutex) {
  uint32_t* word = word_of(mutex);
  int32_t id = id_in(word);
  if (id == 0) return;
  int32_t real = to_real(Space::id, id);
  // An id that is real today names its thread.
  if (real == id || is_taken(id)) return;
  if (lives_here(real)) {
    rename_owner(mutex, id, real);
  } else if ((mutex->__data.__kind & kind_robust) != 0) {
    uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
    if ((seen & FUTEX_TID_MASK) != static_cast<uint32_t>(id)) return;
    __atomic_compare_exchange_n(word, &seen, (seen & FUTEX_WAITERS) | FUTEX_OWNER_DIED, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
  }
}

void remember_life(const int32_t* virtual_and_real, uint32_t count) {
  uint32_t number = generation();
  if (number == 0 || !used) return;
  uint64_t bytes = sizeof(Life) + uint64_t{count} * 2 * sizeof(int32_t);
  auto* life = static_cast<Life*>(host->allocate((bytes + 15) & ~uint64_t{15}));
  if (life == nullptr) return;
  life->earlier = lives;
  life->number = number;
  life->count = count;
  memcpy(life->ids, virtual_and_real, uint64_t{count} * 2 * sizeof(int32_t));
  lives = life;
  used = false;
}

void translate_held_mutexes(int32_t (*saved_real)(int32_t virtual_id)) {
  renewing = 0;
  int32_t virtual_id, real;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
    int32_t former[2] = {virtual_id, saved_real(virtual_id)};
    translate_list(real, former, real);
  }
}

void translate_awaited_mutexes() {
  int32_t virtual_id, real;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) translate_awaited(index);
}

}  // namespace cairn::pid
