// Sixteen threads keep their ids, stacks, thread-local values and thread-specific data, and can be joined.
// sabotage: poke @tls
#include "../probe.h"

enum { COUNT = 16 };
static __thread uint64_t local_words[64];
static __thread int local_index = -1;
static pthread_key_t key;
static volatile int stop, started;
static pid_t tids[COUNT];
static pthread_t threads[COUNT];

static void *body(void *argument) {
  int index = (int)(intptr_t)argument;
  uint64_t on_stack[128];
  local_index = index;
  probe_fill(local_words, sizeof local_words, (uint64_t)index * 1000);
  probe_fill(on_stack, sizeof on_stack, (uint64_t)index * 77);
  pthread_setspecific(key, &local_words[index]);
  tids[index] = gettid();
  if (index == 5) probe_note("tls", (uint64_t)(uintptr_t)&local_words[9]);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  while (!stop) probe_sleep_ms(3);
  CHECK(local_index == index, "thread-local value of thread %d is %d", index, local_index);
  CHECK(probe_compare(local_words, sizeof local_words, (uint64_t)index * 1000) == -1, "thread-local array of thread %d", index);
  CHECK(probe_compare(on_stack, sizeof on_stack, (uint64_t)index * 77) == -1, "stack of thread %d", index);
  CHECK(pthread_getspecific(key) == &local_words[index], "thread-specific data of thread %d", index);
  CHECK(gettid() == tids[index], "tid of thread %d was %d, is %d", index, tids[index], gettid());
  CHECK(pthread_equal(pthread_self(), threads[index]), "pthread_self of thread %d", index);
  return (void *)(intptr_t)(index * 3 + 1);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_key_create(&key, NULL);
  for (int i = 0; i < COUNT; i++) CHECK(pthread_create(&threads[i], NULL, body, (void *)(intptr_t)i) == 0, "pthread_create");
  WAIT_UNTIL(started == COUNT, "not all threads started");
  probe_hold();
  stop = 1;
  for (int i = 0; i < COUNT; i++) {
    void *result = NULL;
    CHECK(pthread_join(threads[i], &result) == 0, "pthread_join of thread %d", i);
    CHECK(result == (void *)(intptr_t)(i * 3 + 1), "result of thread %d", i);
  }
  return probe_ok();
}
