// Clocks read through the vdso work after a restart, do not stand still and do not go backwards.
// sabotage: poke @before
#include "../probe.h"
#include <sys/time.h>

static int64_t now(clockid_t clock) {
  struct timespec time = {0, 0};
  CHECK(clock_gettime(clock, &time) == 0, "clock_gettime(%d)", clock);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static volatile int stop;
static void *reader(void *argument) {
  int64_t last = 0;
  while (!stop) {
    for (int i = 0; i < 1000; i++) {
      int64_t time = now(CLOCK_MONOTONIC);
      CHECK(time >= last, "CLOCK_MONOTONIC went back by %lld ns", (long long)(last - time));
      last = time;
    }
    probe_sleep_ms(1);
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_TAI};
  enum { COUNT = 7 };
  static int64_t before[COUNT];
  for (int i = 0; i < COUNT; i++) before[i] = now(clocks[i]);
  pthread_t thread;
  pthread_create(&thread, NULL, reader, NULL);
  probe_note("before", (uint64_t)(uintptr_t)&before[1] + 7);
  probe_hold();
  for (int i = 0; i < COUNT; i++) {
    int64_t time = now(clocks[i]);
    CHECK(time > before[i] && time - before[i] < 3600LL * 1000000000, "clock %d: %lld, before %lld", clocks[i], (long long)time, (long long)before[i]);
    struct timespec direct;
    CHECK(syscall(SYS_clock_gettime, clocks[i], &direct) == 0, "clock_gettime by syscall()");
    int64_t difference = direct.tv_sec * 1000000000LL + direct.tv_nsec - time;
    CHECK(difference > -100000000 && difference < 1000000000, "clock %d: vdso and kernel differ by %lld ns", clocks[i], (long long)difference);
  }
  struct timeval day;
  CHECK(gettimeofday(&day, NULL) == 0 && llabs(day.tv_sec - (long long)time(NULL)) <= 1, "gettimeofday and time");
  struct timespec resolution;
  CHECK(clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_nsec == 1, "clock_getres");
  unsigned cpu = 9999, node = 9999;
  CHECK(getcpu(&cpu, &node) == 0 && cpu < 4096, "getcpu");
  CHECK(now(CLOCK_PROCESS_CPUTIME_ID) > 0 && now(CLOCK_THREAD_CPUTIME_ID) > 0, "processor time");
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
