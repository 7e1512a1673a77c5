// Owns: pthread_create after a restart, when the kernel may give a new thread the number that another one holds for life.
// The new thread then takes a made number (ids.h) before its own code runs and before pthread_create returns. Before the first
// restart libc's function is called as it is.
#include <linux/futex.h>
#include <pthread.h>

#include "pid/cpu_times.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/lent.h"
#include "pid/threads.h"

namespace cairn::pid {

CAIRN_PID_NEXT(pthread_create);

void prepare_create() { next_pthread_create.get(); }

namespace {

/// On the creator's stack, which waits until the new thread has read it.
struct Start {
  void* (*function)(void*);
  void* argument;
  int32_t taken;
};

void* begin(void* data) {
  Start* start = static_cast<Start*>(data);
  void* (*function)(void*) = start->function;
  void* argument = start->argument;
  forget_lent(pthread_self());
  int32_t own = own_tid();
  int32_t* word = tid_word(pthread_self());
  if (word != nullptr && __atomic_load_n(word, __ATOMIC_RELAXED) != own) __atomic_store_n(word, own, __ATOMIC_RELAXED);
  begin_cpu_time();
  __atomic_store_n(&start->taken, 1, __ATOMIC_RELEASE);
  // The creator may be gone from here on: a wake-up of an address that is no more does no harm.
  raw(SYS_futex, pointer(&start->taken), FUTEX_WAKE_PRIVATE, 1);
  return function(argument);
}

}  // namespace

extern "C" CAIRN_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*function)(void*),
                                           void* argument) noexcept {
  if (!active()) return next_pthread_create.get()(thread, attributes, function, argument);
  Start start = {function, argument, 0};
  int result = next_pthread_create.get()(thread, attributes, begin, &start);
  if (result != 0) return result;
  while (__atomic_load_n(&start.taken, __ATOMIC_ACQUIRE) == 0) raw(SYS_futex, pointer(&start.taken), FUTEX_WAIT_PRIVATE, 0);
  return 0;
}

}  // namespace cairn::pid
