// A chain of threads, each of which waits in pthread_join for the next, across the checkpoint.
// sabotage: poke @expected
#include "../probe.h"

enum { COUNT = 8 };
static pthread_t threads[COUNT];
static volatile int stop, started;
static intptr_t expected = COUNT;

static void *body(void *argument) {
  intptr_t index = (intptr_t)argument;
  void *result = NULL;
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  if (index == 0)
    while (!stop) probe_sleep_ms(3);
  else
    CHECK(pthread_join(threads[index - 1], &result) == 0, "pthread_join");
  return (void *)((intptr_t)result + 1);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  for (intptr_t i = 0; i < COUNT; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  WAIT_UNTIL(started == COUNT, "not all threads started");
  probe_sleep_ms(20);
  probe_hold();
  stop = 1;
  void *result;
  CHECK(pthread_join(threads[COUNT - 1], &result) == 0 && (intptr_t)result == expected, "the chain gave %d", (int)(intptr_t)result);
  return probe_ok();
}
