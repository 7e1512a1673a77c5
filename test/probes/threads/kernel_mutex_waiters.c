// Threads that wait when the checkpoint is made: for a robust and for a priority-inheriting mutex, and on conditions with
// such mutexes, several of them on one. One ends with the robust mutex that it waited for; one is cancelled while it waits.
// sabotage: poke @word
#include "../probe.h"

static pthread_mutex_t robust, inheriting, condition_mutex[2];
static pthread_cond_t condition[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static volatile int waiting, got_robust, got_inheriting, go[2], woken[2], cancelled;
enum { sleepers = 3 };

static void make(pthread_mutex_t *mutex, int is_robust) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  if (is_robust) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  else pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  CHECK(pthread_mutex_init(mutex, &attributes) == 0, "pthread_mutex_init");
}

static void *robust_waiter(void *argument) {
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK(pthread_mutex_lock(&robust) == 0, "lock of the robust mutex");
  got_robust = 1;
  return argument;
}
static void *inheriting_waiter(void *argument) {
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK(pthread_mutex_lock(&inheriting) == 0, "lock of the priority-inheriting mutex");
  __atomic_fetch_add(&got_inheriting, 1, __ATOMIC_SEQ_CST);
  probe_sleep_ms(2);
  CHECK(pthread_mutex_lock(&inheriting) == EDEADLK, "a second lock");
  CHECK(pthread_mutex_unlock(&inheriting) == 0, "unlock of the priority-inheriting mutex");
  return argument;
}
static void *sleeper(void *argument) {
  long which = (long)argument;
  CHECK(pthread_mutex_lock(&condition_mutex[which]) == 0, "lock before waiting");
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  while (!go[which]) CHECK(pthread_cond_wait(&condition[which], &condition_mutex[which]) == 0, "pthread_cond_wait");
  woken[which]++;
  probe_sleep_ms(3);
  CHECK(pthread_mutex_lock(&condition_mutex[which]) == EDEADLK, "a second lock after waiting");
  CHECK(pthread_mutex_unlock(&condition_mutex[which]) == 0, "unlock after waiting");
  return NULL;
}
static void unlock_it(void *which) {
  cancelled++;
  CHECK(pthread_mutex_unlock(&condition_mutex[(long)which]) == 0, "unlock after a cancellation");
}
static void *to_be_cancelled(void *argument) {
  long which = (long)argument;
  CHECK(pthread_mutex_lock(&condition_mutex[which]) == 0, "lock before waiting to be cancelled");
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  pthread_cleanup_push(unlock_it, argument);
  for (;;) pthread_cond_wait(&condition[which], &condition_mutex[which]);
  pthread_cleanup_pop(0);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  make(&robust, 1);
  make(&inheriting, 0);
  make(&condition_mutex[0], 1);
  make(&condition_mutex[1], 0);
  probe_note("word", (uint64_t)(uintptr_t)&robust.__data.__lock);
  pthread_mutex_lock(&robust);
  pthread_mutex_lock(&inheriting);
  pthread_t first, second[2], asleep[2][sleepers], doomed[2];
  pthread_create(&first, NULL, robust_waiter, NULL);
  for (int i = 0; i < 2; i++) pthread_create(&second[i], NULL, inheriting_waiter, NULL);
  for (long which = 0; which < 2; which++) {
    for (int i = 0; i < sleepers; i++) pthread_create(&asleep[which][i], NULL, sleeper, (void *)which);
    pthread_create(&doomed[which], NULL, to_be_cancelled, (void *)which);
  }
  WAIT_UNTIL(waiting == 3 + 2 * sleepers + 2, "not all wait: %d", waiting);
  probe_sleep_ms(20);
  probe_hold();
  for (int again = 0; again < 2; again++) {
    for (int which = 0; which < 2; which++) {
      void *result;
      CHECK(pthread_cancel(doomed[which]) == 0 && pthread_join(doomed[which], &result) == 0 && result == PTHREAD_CANCELED, "cancellation");
      CHECK(cancelled == 2 * again + which + 1, "the cleanup did not run");
      int took = pthread_mutex_lock(&condition_mutex[which]);
      CHECK(took == 0, "lock to wake the others: %s", strerror(took));
      go[which] = 1;
      pthread_cond_broadcast(&condition[which]);
      CHECK(pthread_mutex_unlock(&condition_mutex[which]) == 0, "unlock to wake the others");
      for (int i = 0; i < sleepers; i++) pthread_join(asleep[which][i], NULL);
      CHECK(woken[which] == (again + 1) * sleepers, "%d were woken", woken[which]);
    }
    // The same with threads of today.
    waiting = 0;
    for (long which = 0; which < 2 && !again; which++) {
      go[which] = 0;
      for (int i = 0; i < sleepers; i++) pthread_create(&asleep[which][i], NULL, sleeper, (void *)which);
      pthread_create(&doomed[which], NULL, to_be_cancelled, (void *)which);
    }
    if (!again) WAIT_UNTIL(waiting == 2 * sleepers + 2, "not all of today wait: %d", waiting);
  }
  CHECK(!got_robust && !got_inheriting, "a mutex was free");
  CHECK(pthread_mutex_unlock(&inheriting) == 0, "unlock of the priority-inheriting mutex");
  for (int i = 0; i < 2; i++) pthread_join(second[i], NULL);
  CHECK(got_inheriting == 2, "%d of 2 got the mutex", got_inheriting);
  CHECK(pthread_mutex_lock(&inheriting) == 0 && pthread_mutex_unlock(&inheriting) == 0, "the priority-inheriting mutex again");
  CHECK(pthread_mutex_unlock(&robust) == 0, "unlock of the robust mutex");
  pthread_join(first, NULL);
  int taken = pthread_mutex_lock(&robust);
  CHECK(got_robust && taken == EOWNERDEAD, "robust mutex of a thread that ended with it: %s", strerror(taken));
  CHECK(pthread_mutex_consistent(&robust) == 0 && pthread_mutex_unlock(&robust) == 0, "pthread_mutex_consistent");
  return probe_ok();
}
