// Robust, priority-inheriting and robust priority-inheriting mutexes of every type, held over a checkpoint by the main thread and
// by another one, which ends without unlocking some; then used by threads of before and after, with and without contention,
// and between processes.
// sabotage: poke @word
// bits: 64, 32
#include "../probe.h"
#include <sys/wait.h>

enum { robust = 1, inherits = 2, shared = 4 };
static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE};
static const int variants[] = {robust, inherits, robust | inherits};

static void make(pthread_mutex_t *mutex, int type, int how) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  if (how & robust) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if (how & inherits) pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  if (how & shared) pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  CHECK(pthread_mutex_init(mutex, &attributes) == 0, "pthread_mutex_init(%d, %d)", type, how);
}

static struct timespec soon(int milliseconds) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec += milliseconds % 1000 * 1000000L;
  time.tv_sec += milliseconds / 1000 + time.tv_nsec / 1000000000L;
  time.tv_nsec %= 1000000000L;
  return time;
}
static int lock_soon(pthread_mutex_t *mutex, int milliseconds) {
  struct timespec time = soon(milliseconds);
  return pthread_mutex_timedlock(mutex, &time);
}

// [type][variant]
static pthread_mutex_t own[3][3], left[3][3], fresh[3][3], plain;
static volatile int holding, stop, result;

static void *holder(void *argument) {
  for (int t = 0; t < 3; t++)
    for (int v = 0; v < 3; v++) pthread_mutex_lock(&left[t][v]);
  holding = 1;
  while (!stop) probe_sleep_ms(2);
  // Only those that the kernel does not care for.
  for (int t = 0; t < 3; t++) CHECK(pthread_mutex_unlock(&left[t][1]) == 0, "unlock of type %d by its holder", t);
  return argument;
}
static void *try_it(void *mutex) {
  result = pthread_mutex_trylock((pthread_mutex_t *)mutex);
  return NULL;
}
static int other_tries(pthread_mutex_t *mutex) {
  pthread_t thread;
  pthread_create(&thread, NULL, try_it, mutex);
  pthread_join(thread, NULL);
  return result;
}
static void *take_and_end(void *mutex) {
  result = pthread_mutex_lock((pthread_mutex_t *)mutex);
  return NULL;
}

static long counter;
static void *count(void *mutex) {
  for (int i = 0; i < 3000; i++) {
    CHECK(pthread_mutex_lock((pthread_mutex_t *)mutex) == 0, "lock in the loop");
    counter++;
    if (i % 64 == 0) sched_yield();
    CHECK(pthread_mutex_unlock((pthread_mutex_t *)mutex) == 0, "unlock in the loop");
  }
  return NULL;
}

static void check_own(pthread_mutex_t *mutex, int type, int how) {
  CHECK(other_tries(mutex) == EBUSY, "type %d of variant %d is free: %s", type, how, strerror(result));
  CHECK(lock_soon(mutex, 5) == (type == PTHREAD_MUTEX_RECURSIVE ? 0 : type == PTHREAD_MUTEX_ERRORCHECK ? EDEADLK : ETIMEDOUT) ||
            type == PTHREAD_MUTEX_NORMAL, "lock again of type %d, variant %d", type, how);
  if (type == PTHREAD_MUTEX_RECURSIVE) CHECK(pthread_mutex_unlock(mutex) == 0, "unlock, variant %d", how);
  CHECK(pthread_mutex_unlock(mutex) == 0, "unlock of type %d, variant %d", type, how);
  if (type != PTHREAD_MUTEX_NORMAL || how & robust)
    CHECK(pthread_mutex_unlock(mutex) == EPERM, "a second unlock of type %d, variant %d", type, how);
  CHECK(other_tries(mutex) == 0, "type %d, variant %d is not free: %s", type, how, strerror(result));
}

static void check_dead(pthread_mutex_t *mutex, int type, int how) {
  int taken = lock_soon(mutex, 3000);
  CHECK(taken == EOWNERDEAD, "type %d, variant %d after its holder's end: %s", type, how, strerror(taken));
  CHECK(pthread_mutex_consistent(mutex) == 0, "pthread_mutex_consistent");
  CHECK(pthread_mutex_unlock(mutex) == 0, "unlock of the recovered mutex");
  CHECK(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0, "the recovered mutex");
  pthread_t thread;
  pthread_create(&thread, NULL, take_and_end, mutex);
  pthread_join(thread, NULL);
  CHECK(result == 0 && pthread_mutex_trylock(mutex) == EOWNERDEAD, "of a thread of today that ended");
  CHECK(pthread_mutex_unlock(mutex) == 0 && lock_soon(mutex, 100) == ENOTRECOVERABLE, "not recovered, type %d, variant %d", type, how);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_mutex_t *between = (pthread_mutex_t *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int t = 0; t < 3; t++)
    for (int v = 0; v < 3; v++) {
      make(&own[t][v], types[t], variants[v]);
      make(&left[t][v], types[t], variants[v]);
      make(&fresh[t][v], types[t], variants[v]);
      pthread_mutex_lock(&own[t][v]);
    }
  for (int v = 0; v < 3; v++) make(&between[v], PTHREAD_MUTEX_NORMAL, variants[v] | shared);
  pthread_mutex_lock(&between[0]);
  make(&plain, PTHREAD_MUTEX_RECURSIVE, 0);
  pthread_mutex_lock(&plain);
  pthread_t thread;
  pthread_create(&thread, NULL, holder, NULL);
  WAIT_UNTIL(holding, "the holder did not start");
  probe_note("word", (uint64_t)(uintptr_t)&own[1][0].__data.__lock);
  probe_hold();
  for (int t = 0; t < 3; t++)
    for (int v = 0; v < 3; v++) {
      CHECK(pthread_mutex_trylock(&left[t][v]) == EBUSY, "type %d, variant %d is not held", types[t], variants[v]);
      check_own(&own[t][v], types[t], variants[v]);
    }
  CHECK(lock_soon(&left[1][1], 10) == ETIMEDOUT && lock_soon(&left[1][0], 10) == ETIMEDOUT, "waiting for what is held");
  stop = 1;
  pthread_join(thread, NULL);
  for (int t = 0; t < 3; t++) {
    check_dead(&left[t][0], types[t], variants[0]);
    check_dead(&left[t][2], types[t], variants[2]);
    CHECK(lock_soon(&left[t][1], 3000) == 0, "what the holder unlocked, type %d", t);
  }
  for (int t = 0; t < 3; t++)
    for (int v = 0; v < 3; v++) {
      pthread_t counting[3];
      counter = 0;
      for (int i = 0; i < 3; i++) pthread_create(&counting[i], NULL, count, &fresh[t][v]);
      count(&fresh[t][v]);
      for (int i = 0; i < 3; i++) pthread_join(counting[i], NULL);
      CHECK(counter == 12000, "counted to %ld with type %d, variant %d", counter, types[t], variants[v]);
    }
  pid_t child = fork();
  if (child == 0) _exit(pthread_mutex_lock(&between[2]) == 0 && pthread_mutex_trylock(&between[0]) == EBUSY ? 0 : 1);
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "locking in a child");
  CHECK(lock_soon(&between[2], 3000) == EOWNERDEAD, "after the child's end");
  CHECK(pthread_mutex_unlock(&between[0]) == 0 && pthread_mutex_lock(&between[1]) == 0 && pthread_mutex_unlock(&between[1]) == 0, "shared mutexes");
  CHECK(pthread_mutex_lock(&plain) == 0 && pthread_mutex_unlock(&plain) == 0 && pthread_mutex_unlock(&plain) == 0, "a recursive mutex");
  CHECK(pthread_mutex_unlock(&plain) == EPERM, "a third unlock");
  return probe_ok();
}
