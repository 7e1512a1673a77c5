// Mutexes of every kind are held across the checkpoint: their owners (tids in libc's structures) still fit afterwards.
// sabotage: poke @owner
// bits: 64, 32
#include "../probe.h"

static pthread_mutex_t recursive, checking, plain = PTHREAD_MUTEX_INITIALIZER, priority;
static pthread_rwlock_t reading = PTHREAD_RWLOCK_INITIALIZER, writing = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static volatile int stop, started, waiting, got;

static void *holder(void *argument) {
  pthread_mutex_lock(&recursive);
  pthread_mutex_lock(&recursive);
  pthread_mutex_lock(&checking);
  pthread_mutex_lock(&priority);
  pthread_rwlock_rdlock(&reading);
  pthread_rwlock_wrlock(&writing);
  pthread_spin_lock(&spin);
  probe_note("owner", (uint64_t)(uintptr_t)&checking.__data.__owner);
  started = 1;
  while (!stop) probe_sleep_ms(3);
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_sec += 2;
  CHECK(pthread_mutex_timedlock(&checking, &soon) == EDEADLK, "error-checking mutex does not know its owner");
  CHECK(pthread_mutex_timedlock(&recursive, &soon) == 0, "recursive mutex does not know its owner");
  for (int i = 0; i < 3; i++) CHECK(pthread_mutex_unlock(&recursive) == 0, "unlock %d of the recursive mutex", i);
  CHECK(pthread_mutex_unlock(&recursive) == EPERM, "recursive mutex was unlocked too often");
  CHECK(pthread_mutex_unlock(&checking) == 0, "unlock of the error-checking mutex");
  CHECK(pthread_mutex_unlock(&priority) == 0, "unlock of the priority-inheriting mutex");
  CHECK(pthread_rwlock_wrlock(&writing) == EDEADLK, "write lock does not know its owner");
  CHECK(pthread_rwlock_unlock(&writing) == 0 && pthread_rwlock_unlock(&reading) == 0, "unlock of rwlocks");
  CHECK(pthread_spin_unlock(&spin) == 0, "unlock of the spin lock");
  return argument;
}

// Waits in the kernel for a mutex that is held by main.
static void *waiter(void *argument) {
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK(pthread_mutex_lock(&plain) == 0, "lock of the plain mutex");
  got++;
  pthread_mutex_unlock(&plain);
  return argument;
}

static void make(pthread_mutex_t *mutex, int kind, int protocol) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, kind);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  CHECK(pthread_mutex_init(mutex, &attributes) == 0, "pthread_mutex_init");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  make(&recursive, PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE);
  make(&checking, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE);
  make(&priority, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE);
  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  pthread_t threads[4];
  pthread_mutex_lock(&plain);
  pthread_create(&threads[0], NULL, holder, NULL);
  for (int i = 1; i < 4; i++) pthread_create(&threads[i], NULL, waiter, NULL);
  WAIT_UNTIL(started && waiting == 3, "the threads did not start");
  probe_sleep_ms(20);
  probe_hold();
  CHECK(got == 0, "somebody got a mutex that main holds");
  CHECK(pthread_mutex_trylock(&recursive) == EBUSY, "recursive mutex of another thread");
  CHECK(pthread_mutex_unlock(&checking) == EPERM, "error-checking mutex of another thread");
  CHECK(pthread_rwlock_tryrdlock(&reading) == 0 && pthread_rwlock_unlock(&reading) == 0, "second read lock");
  CHECK(pthread_rwlock_tryrdlock(&writing) == EBUSY, "read lock beside a writer");
  pthread_mutex_unlock(&plain);
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK(got == 3, "%d of 3 waiters got the mutex", got);
  CHECK(pthread_mutex_lock(&recursive) == 0 && pthread_mutex_lock(&checking) == 0 && pthread_spin_lock(&spin) == 0, "locks are free again");
  return probe_ok();
}
