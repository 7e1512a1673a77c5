// Robust mutexes: a thread that ends after the checkpoint while it holds one that it took before leaves EOWNERDEAD.
// (The kernel compares the word in memory with the tid that it gave this time.)
// sabotage: poke @word
#include "../probe.h"

static pthread_mutex_t robust, inheriting;
static volatile int stop, started;

static void *holder(void *argument) {
  pthread_mutex_lock(&robust);
  pthread_mutex_lock(&inheriting);
  started = 1;
  while (!stop) probe_sleep_ms(3);
  CHECK(pthread_mutex_unlock(&inheriting) == 0, "unlock of the priority-inheriting mutex");
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&robust, &attributes);
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&inheriting, &attributes);
  probe_note("word", (uint64_t)(uintptr_t)&robust.__data.__lock);
  pthread_t thread;
  pthread_create(&thread, NULL, holder, NULL);
  WAIT_UNTIL(started, "the holder did not start");
  probe_hold();
  stop = 1;
  pthread_join(thread, NULL);
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_sec += 3;
  int result = pthread_mutex_timedlock(&robust, &soon);
  CHECK(result == EOWNERDEAD, "robust mutex of a dead thread: %s", strerror(result));
  CHECK(pthread_mutex_consistent(&robust) == 0 && pthread_mutex_unlock(&robust) == 0, "pthread_mutex_consistent");
  CHECK(pthread_mutex_lock(&robust) == 0, "lock of the recovered mutex");
  result = pthread_mutex_timedlock(&inheriting, &soon);
  CHECK(result == 0, "lock of the priority-inheriting mutex: %s", strerror(result));
  return probe_ok();
}
