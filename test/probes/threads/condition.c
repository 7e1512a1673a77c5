// Threads wait on a condition variable, a barrier and a semaphore across the checkpoint; each is woken exactly once after it.
// sabotage: poke @expected
#include "../probe.h"
#include <semaphore.h>

enum { COUNT = 4 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static volatile int go, waiting, woken, serial, posted;
static int expected = COUNT;

static void *on_condition(void *argument) {
  pthread_mutex_lock(&mutex);
  waiting++;
  while (!go) CHECK(pthread_cond_wait(&condition, &mutex) == 0, "pthread_cond_wait");
  woken++;
  pthread_mutex_unlock(&mutex);
  return argument;
}
static void *on_barrier(void *argument) {
  int result = pthread_barrier_wait(&barrier);
  CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD, "pthread_barrier_wait: %s", strerror(result));
  if (result) __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
  return argument;
}
static void *on_semaphore(void *argument) {
  CHECK(sem_wait(&semaphore) == 0, "sem_wait");
  __atomic_add_fetch(&posted, 1, __ATOMIC_SEQ_CST);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  pthread_barrier_init(&barrier, NULL, COUNT + 1);
  sem_init(&semaphore, 0, 0);
  pthread_t threads[3 * COUNT];
  for (int i = 0; i < COUNT; i++) {
    pthread_create(&threads[3 * i], NULL, on_condition, NULL);
    pthread_create(&threads[3 * i + 1], NULL, on_barrier, NULL);
    pthread_create(&threads[3 * i + 2], NULL, on_semaphore, NULL);
  }
  WAIT_UNTIL(waiting == COUNT, "not all threads wait");
  probe_sleep_ms(20);
  probe_hold();
  CHECK(woken == 0 && posted == 0, "woken by nobody: %d, %d", woken, posted);
  pthread_mutex_lock(&mutex);
  go = 1;
  pthread_mutex_unlock(&mutex);
  pthread_cond_broadcast(&condition);
  int mine = pthread_barrier_wait(&barrier);
  for (int i = 0; i < COUNT; i++) sem_post(&semaphore);
  for (int i = 0; i < 3 * COUNT; i++) pthread_join(threads[i], NULL);
  CHECK(woken == expected, "%d waiters of the condition woke", woken);
  CHECK(serial + (mine == PTHREAD_BARRIER_SERIAL_THREAD) == 1, "%d serial threads at the barrier", serial);
  CHECK(posted == COUNT, "%d waiters of the semaphore woke", posted);
  return probe_ok();
}
