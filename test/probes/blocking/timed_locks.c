// sem_timedwait, pthread_cond_timedwait (two clocks), pthread_mutex_timedlock and rwlock waits end by time-out only.
// sabotage: signal-thread 1 34
#include "../probe.h"
#include <semaphore.h>

static volatile int stop;
static volatile long rounds[4];
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static struct timespec in_150_ms(clockid_t clock) {
  struct timespec then;
  clock_gettime(clock, &then);
  then.tv_nsec += 150000000;
  if (then.tv_nsec >= 1000000000) then.tv_sec++, then.tv_nsec -= 1000000000;
  return then;
}
static int past(clockid_t clock, struct timespec then) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec > then.tv_sec || (now.tv_sec == then.tv_sec && now.tv_nsec >= then.tv_nsec);
}
static void *body(void *argument) {
  int which = (int)(intptr_t)argument;
  pthread_cond_t condition;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition, &attributes);
  while (!stop) {
    clockid_t clock = which == 1 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    struct timespec then = in_150_ms(clock);
    int result = 0;
    if (which == 0) result = sem_timedwait(&semaphore, &then) == -1 ? errno : 0;
    if (which == 1) {
      pthread_mutex_lock(&mutex);
      while ((result = pthread_cond_timedwait(&condition, &mutex, &then)) == 0) CHECK(!past(clock, then), "no time-out");
      pthread_mutex_unlock(&mutex);
    }
    if (which == 2) result = pthread_mutex_timedlock(&held, &then);
    if (which == 3) result = pthread_rwlock_timedrdlock(&lock, &then);
    CHECK(result == ETIMEDOUT, "wait %d gave %s", which, strerror(result));
    CHECK(past(clock, then), "wait %d was too short", which);
    rounds[which]++;
  }
  return argument;
}
static void on_signal(int number) { (void)number; }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGRTMIN, &action, NULL);
  sem_init(&semaphore, 0, 0);
  pthread_mutex_lock(&held);
  pthread_rwlock_wrlock(&lock);
  pthread_t threads[4];
  for (intptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  probe_sleep_ms(30);
  probe_hold();
  for (int i = 0; i < 4; i++) {
    long so_far = rounds[i];
    WAIT_UNTIL(rounds[i] > so_far, "wait %d does not end", i);
  }
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return probe_ok();
}
