// POSIX timers whose notification is a new thread (SIGEV_THREAD: libc has a helper thread for them).
// sabotage: poke @cell
// churn: maps threads SigPnd ShdPnd
#include "../probe.h"

static volatile int ticks, wrong;
static uint64_t cell = 55;
static void on_tick(union sigval value) {
  if (value.sival_ptr != &cell) wrong++;
  __atomic_add_fetch(&ticks, 1, __ATOMIC_SEQ_CST);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = &cell};
  event.sigev_notify_function = on_tick;
  timer_t timer, another;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  struct itimerspec every = {{0, 40000000}, {0, 40000000}};
  CHECK(timer_settime(timer, 0, &every, NULL) == 0, "timer_settime");
  WAIT_UNTIL(ticks > 1, "the timer does not tick");
  probe_hold();
  CHECK(cell == 55, "a static value");
  int so_far = ticks;
  WAIT_UNTIL(ticks > so_far + 2, "the timer stopped");
  CHECK(timer_delete(timer) == 0, "timer_delete");
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &another) == 0 && timer_settime(another, 0, &every, NULL) == 0, "another timer");
  so_far = ticks;
  WAIT_UNTIL(ticks > so_far + 2, "the other timer does not tick");
  CHECK(wrong == 0, "wrong value");
  return probe_ok();
}
