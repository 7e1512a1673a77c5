// nanosleep, clock_nanosleep (relative, absolute, three clocks), usleep and sleep are never interrupted and never too short.
// sabotage: signal-thread 1 34
// bits: 64, 32
#include "../probe.h"

static volatile int stop;
static volatile long rounds;
static const long NAP = 150 * 1000000L;

static int64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static void *naps(void *argument) {
  while (!stop) {
    struct timespec nap = {0, NAP}, left = {0, 0};
    int64_t start = now(CLOCK_MONOTONIC);
    CHECK(nanosleep(&nap, &left) == 0, "nanosleep was interrupted");
    CHECK(now(CLOCK_MONOTONIC) - start >= NAP, "nanosleep was too short");
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
  }
  return argument;
}
static void *clock_naps(void *argument) {
  clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
  for (int i = 0; !stop; i++) {
    clockid_t clock = clocks[i % 3];
    struct timespec nap = {0, NAP};
    int64_t start = now(clock);
    CHECK(clock_nanosleep(clock, 0, &nap, NULL) == 0, "clock_nanosleep on clock %d was interrupted", clock);
    CHECK(now(clock) - start >= NAP, "clock_nanosleep on clock %d was too short", clock);
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
  }
  return argument;
}
static void *until(void *argument) {
  clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
  for (int i = 0; !stop; i++) {
    clockid_t clock = clocks[i % 2];
    int64_t end = now(clock) + NAP;
    struct timespec then = {end / 1000000000, end % 1000000000};
    int result = clock_nanosleep(clock, TIMER_ABSTIME, &then, NULL);
    CHECK(result == 0, "absolute clock_nanosleep on clock %d gave %d", clock, result);
    CHECK(now(clock) >= end, "absolute clock_nanosleep ended early");
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
  }
  return argument;
}
static void *simple(void *argument) {
  while (!stop) {
    CHECK(usleep(120000) == 0, "usleep was interrupted");
    CHECK(sleep(1) == 0, "sleep was interrupted");
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
  }
  return argument;
}
static void on_signal(int number) { (void)number; }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  signal(SIGRTMIN, on_signal);
  pthread_t threads[4];
  void *(*bodies[])(void *) = {naps, clock_naps, until, simple};
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, bodies[i], NULL);
  probe_sleep_ms(30);
  probe_hold();
  long so_far = rounds;
  WAIT_UNTIL(rounds > so_far + 3, "nobody wakes up");
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return probe_ok();
}
