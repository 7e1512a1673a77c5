// Destructors of thread-specific data and of C cleanup handlers run when threads made before the checkpoint end after it.
// sabotage: poke @expected
#include "../probe.h"

static volatile int stop, started, destroyed, cleaned;
static pthread_key_t keys[8];
static int expected = 32;

static void destroy(void *value) { __atomic_add_fetch(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST); }
static void clean(void *value) { __atomic_add_fetch(&cleaned, (int)(intptr_t)value, __ATOMIC_SEQ_CST); }

static void *body(void *argument) {
  for (int i = 0; i < 8; i++) pthread_setspecific(keys[i], (void *)1);
  pthread_cleanup_push(clean, (void *)1);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  while (!stop) probe_sleep_ms(3);
  pthread_exit(argument);
  pthread_cleanup_pop(0);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  pthread_t threads[4];
  for (int i = 0; i < 8; i++) pthread_key_create(&keys[i], destroy);
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, body, NULL);
  WAIT_UNTIL(started == 4, "not all threads started");
  probe_hold();
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK(destroyed == expected, "%d destructors ran", destroyed);
  CHECK(cleaned == 4, "%d cleanup handlers ran", cleaned);
  pthread_key_t another;
  CHECK(pthread_key_create(&another, NULL) == 0 && pthread_key_delete(keys[0]) == 0, "keys after the checkpoint");
  return probe_ok();
}
