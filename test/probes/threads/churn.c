// Threads are made and end all the time, so that checkpoints come while some are being born or die.
// sabotage: poke @cell
// churn: maps threads
#include "../probe.h"

static volatile int stop;
static volatile long made, ran;
static uint64_t cell = 55;

static void *brief(void *argument) {
  int on_stack = (int)(intptr_t)argument;
  __atomic_add_fetch(&ran, 1, __ATOMIC_SEQ_CST);
  sched_yield();
  CHECK(on_stack == (int)(intptr_t)argument, "stack of a short-lived thread");
  return argument;
}
static void *maker(void *argument) {
  while (!stop) {
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++) {
      CHECK(pthread_create(&threads[i], NULL, brief, (void *)i) == 0, "pthread_create");
      __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
    }
    for (intptr_t i = 0; i < 3; i++) {
      void *result;
      CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)i, "pthread_join");
    }
    probe_sleep_ms(1);
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  pthread_t makers[2];
  for (int i = 0; i < 2; i++) pthread_create(&makers[i], NULL, maker, NULL);
  WAIT_UNTIL(made > 20, "no threads are made");
  probe_hold();
  CHECK(cell == 55, "a static value");
  long so_far = made;
  WAIT_UNTIL(made > so_far + 20, "no more threads are made");
  stop = 1;
  for (int i = 0; i < 2; i++) pthread_join(makers[i], NULL);
  CHECK(ran == made, "%ld of %ld threads ran", ran, made);
  return probe_ok();
}
