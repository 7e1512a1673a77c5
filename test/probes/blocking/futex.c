// Waits on futexes (plain, with a time-out, with a bitset and an absolute time) are neither ended nor lost.
// sabotage: signal-thread 1 34
#include "../probe.h"
#include <linux/futex.h>

static uint32_t words[4];
static volatile int woken, stop;
static volatile long timeouts;

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *time, uint32_t bits) {
  return syscall(SYS_futex, word, operation, value, time, NULL, bits);
}
static void *waits(void *argument) {
  int index = (int)(intptr_t)argument;
  int64_t result = futex(&words[index], index == 0 ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE, 0, NULL, 0);
  CHECK(result == 0, "FUTEX_WAIT %d", index);
  CHECK(words[index] == 1, "FUTEX_WAIT %d returned before it was woken", index);
  __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
  return argument;
}
static void *waits_briefly(void *argument) {
  while (!stop) {
    struct timespec nap = {0, 150000000};
    CHECK(futex(&words[2], FUTEX_WAIT_PRIVATE, 0, &nap, 0) == -1 && errno == ETIMEDOUT, "FUTEX_WAIT with a time-out");
    struct timespec then;
    clock_gettime(CLOCK_MONOTONIC, &then);
    then.tv_nsec += 150000000;
    if (then.tv_nsec >= 1000000000) then.tv_sec++, then.tv_nsec -= 1000000000;
    CHECK(futex(&words[3], FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &then, 0xff) == -1 && errno == ETIMEDOUT, "FUTEX_WAIT_BITSET");
    timeouts++;
  }
  return argument;
}
static void on_signal(int number) { (void)number; }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGRTMIN, &action, NULL);
  pthread_t threads[3];
  for (intptr_t i = 0; i < 2; i++) pthread_create(&threads[i], NULL, waits, (void *)i);
  pthread_create(&threads[2], NULL, waits_briefly, NULL);
  probe_sleep_ms(30);
  probe_hold();
  CHECK(woken == 0, "%d waits ended by themselves", woken);
  long so_far = timeouts;
  WAIT_UNTIL(timeouts > so_far, "the time-outs do not come");
  stop = 1;
  words[0] = words[1] = 1;
  CHECK(futex(&words[0], FUTEX_WAKE, 1, NULL, 0) == 1, "FUTEX_WAKE woke nobody");
  CHECK(futex(&words[1], FUTEX_WAKE_PRIVATE, 1, NULL, 0) == 1, "FUTEX_WAKE_PRIVATE woke nobody");
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  CHECK(woken == 2, "%d of 2 woke", woken);
  return probe_ok();
}
