// Owns: the threads that have their real id in libc's word; see lent.h.
#include "pid/lent.h"

#include <linux/futex.h>

#include "pid/host.h"
#include "pid/ids.h"
#include "pid/mutex_words.h"
#include "pid/threads.h"

namespace cairn::pid {

uint32_t lent_by_restarts = 0;

namespace {

constexpr uint32_t capacity = 1024;
constexpr uint64_t cleanups_distance = 256;  // at most, behind the robust list

Lent places[capacity];
uint32_t lent_count = 0;
int64_t list_offset = 0;     // of the robust list, from the thread's descriptor
int64_t cleanup_offset = 0;  // of the pointer to the innermost record of what a cancellation calls; 0: not known

/// What libc gives to that call during a wait on a condition.
struct Wait {
  uint64_t position;
  uintptr_t condition;
  uintptr_t mutex;
};

void set_tid(pthread_t thread, int32_t tid) { __atomic_store_n(tid_word(thread), tid, __ATOMIC_RELEASE); }

void empty(Lent* place) {
  if (place->by_restart != 0) __atomic_fetch_sub(&lent_by_restarts, 1, __ATOMIC_ACQ_REL);
  __atomic_store_n(&place->thread, 0, __ATOMIC_RELEASE);
  __atomic_fetch_sub(&lent_count, 1, __ATOMIC_ACQ_REL);
}

Lent* find(pthread_t thread) {
  if (__builtin_expect(__atomic_load_n(&lent_count, __ATOMIC_ACQUIRE) == 0, true)) return nullptr;
  for (Lent& place : places) {
    if (__atomic_load_n(&place.thread, __ATOMIC_ACQUIRE) == static_cast<uint64_t>(thread)) return &place;
  }
  return nullptr;
}

/// The mutex, if a thread that waits for the futex at `address` does so in a wait on a condition with such a mutex. Only what libc
/// itself keeps of the wait tells: on the stack, a condition's address may stand beside anything.
pthread_mutex_t* mutex_beside(uint64_t address, pthread_t thread) {
  uintptr_t record = 0;
  struct _pthread_cleanup_buffer cleanup;
  Wait wait;
  pthread_mutex_t mutex;
  if (cleanup_offset == 0 || !peek(static_cast<uintptr_t>(thread) + static_cast<uintptr_t>(cleanup_offset), &record, sizeof record)) return nullptr;
  if (record == 0 || !peek(record, &cleanup, sizeof cleanup)) return nullptr;
  if (!peek(reinterpret_cast<uintptr_t>(cleanup.__arg), &wait, sizeof wait) || address - wait.condition >= sizeof(pthread_cond_t)) return nullptr;
  bool known = peek(wait.mutex, &mutex, sizeof mutex) && has_kernel_ids(&mutex);
  return known ? reinterpret_cast<pthread_mutex_t*>(wait.mutex) : nullptr;
}

void no_cleanup(void*) {}

}  // namespace

Lent* lend(pthread_t thread, int32_t virtual_id, int32_t real, bool by_restart) {
  Lent* taken = nullptr;
  for (uint32_t at = 0; at < capacity && taken == nullptr; ++at) {
    uint64_t free = 0;
    if (!__atomic_compare_exchange_n(&places[at].thread, &free, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    taken = &places[at];
    taken->virtual_id = virtual_id;
    taken->by_restart = by_restart ? 1 : 0;
    __atomic_fetch_add(&lent_count, 1, __ATOMIC_ACQ_REL);
    if (by_restart) __atomic_fetch_add(&lent_by_restarts, 1, __ATOMIC_ACQ_REL);
    __atomic_store_n(&taken->thread, static_cast<uint64_t>(thread), __ATOMIC_RELEASE);
  }
  set_tid(thread, real);
  return taken;
}

void give_back(Lent* place, pthread_t thread, int32_t virtual_id) {
  set_tid(thread, virtual_id);
  if (place != nullptr) empty(place);
}

void give_back_own() {
  Lent* place = find(pthread_self());
  if (place != nullptr && place->by_restart != 0) give_back(place, pthread_self(), place->virtual_id);
}

void forget_lent(pthread_t thread) {
  if (Lent* place = find(thread)) empty(place);
}

int32_t lent_id(pthread_t thread) {
  Lent* place = find(thread);
  return place != nullptr ? place->virtual_id : 0;
}

void find_thread_descriptor() {
  uintptr_t head = 0;
  size_t size = 0;
  if (raw(SYS_get_robust_list, 0, pointer(&head), pointer(&size)) < 0 || head == 0) return;
  auto self = static_cast<uintptr_t>(pthread_self());
  int64_t offset = static_cast<intptr_t>(head - self);
  if (offset <= 0 || offset >= 8192) return;
  list_offset = offset;
  struct _pthread_cleanup_buffer mark;
  _pthread_cleanup_push(&mark, no_cleanup, nullptr);
  for (uint64_t at = sizeof(robust_list_head); at < cleanups_distance && cleanup_offset == 0; at += sizeof(uintptr_t)) {
    if (*reinterpret_cast<const volatile uintptr_t*>(head + at) == reinterpret_cast<uintptr_t>(&mark)) cleanup_offset = offset + static_cast<int64_t>(at);
  }
  _pthread_cleanup_pop(&mark, 0);
}

pthread_t thread_descriptor(int32_t real) {
  uintptr_t head = 0, self = 0;
  size_t size = 0;
  if (list_offset == 0 || raw(SYS_get_robust_list, real, pointer(&head), pointer(&size)) < 0 || head == 0) return 0;
  uintptr_t thread = head - static_cast<uintptr_t>(list_offset);
  return peek(thread + 2 * sizeof(void*), &self, sizeof self) && self == thread ? static_cast<pthread_t>(thread) : 0;
}

/// That the index-th thread takes when the condition on which it sleeps wakes it; null: it sleeps on none, or with a plain mutex.
static pthread_mutex_t* mutex_of_sleeper(uint32_t index, pthread_t thread) {
  int64_t number = 0;
  uint64_t arguments[6], stack = 0;
  if (!thread_call(index, &number, arguments, &stack) || !is_futex(number)) return nullptr;
  int operation = static_cast<int>(arguments[1]) & FUTEX_CMD_MASK;
  if (operation != FUTEX_WAIT && operation != FUTEX_WAIT_BITSET) return nullptr;
  return mutex_beside(arguments[0], thread);
}

void renew_for_sleepers() {
  int32_t virtual_id, real;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
    pthread_t thread = thread_descriptor(real);
    pthread_mutex_t* mutex = thread == 0 ? nullptr : mutex_of_sleeper(index, thread);
    if (mutex != nullptr) renew_words(mutex);
  }
}

void lend_to_sleepers() {
  // Those in a call of ours have the real id of the last life. Who has ended without giving back has no descriptor any more.
  bool there[capacity] = {};
  int32_t virtual_id, real;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
    pthread_t thread = thread_descriptor(real);
    Lent* place = thread == 0 ? nullptr : find(thread);
    if (place == nullptr) continue;
    set_tid(thread, to_real(Space::id, place->virtual_id));
    there[place - places] = true;
  }
  for (uint32_t at = 0; at < capacity; ++at) {
    if (places[at].thread > 1 && !there[at]) empty(&places[at]);
  }
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
    pthread_t thread = thread_descriptor(real);
    if (thread == 0 || mutex_of_sleeper(index, thread) == nullptr) continue;
    if (find(thread) != nullptr || *tid_word(thread) != virtual_id || virtual_id == real) continue;
    // Without a place nobody would give back.
    Lent* place = lend(thread, virtual_id, real, true);
    if (place == nullptr) set_tid(thread, virtual_id);
  }
}

}  // namespace cairn::pid
