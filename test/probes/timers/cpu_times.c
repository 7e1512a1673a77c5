// Processor time goes on from where it was, by every function that tells it, for the process and for each thread.
// sabotage: poke @before
#include "../probe.h"
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>

static int64_t of_clock(clockid_t clock) {
  struct timespec time = {0, 0};
  CHECK(clock_gettime(clock, &time) == 0, "clock_gettime(%d)", clock);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static int64_t of_usage(int who, int system) {
  struct rusage usage;
  CHECK(getrusage(who, &usage) == 0 && usage.ru_utime.tv_usec < 1000000, "getrusage(%d)", who);
  struct timeval time = system ? usage.ru_stime : usage.ru_utime;
  return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}
static int64_t of_times(int system) {
  struct tms now;
  times(&now);
  return (system ? now.tms_stime : now.tms_utime) * 10000000LL;
}
static int64_t direct(void) {
  struct timespec time;
  CHECK(syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "clock_gettime by syscall()");
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static void burn(int64_t nanoseconds) {
  char byte;
  int null = open("/dev/zero", O_RDONLY);
  for (int64_t until = of_clock(CLOCK_THREAD_CPUTIME_ID) + nanoseconds; of_clock(CLOCK_THREAD_CPUTIME_ID) < until;)
    for (int i = 0; i < 1000; i++)
      if (read(null, &byte, 1) != 1) return;
  close(null);
}

enum { PROCESS = 10, THREAD = 3 };
static const char *const names[PROCESS] = {"CLOCK_PROCESS_CPUTIME_ID", "clock()", "ru_utime", "ru_stime", "tms_utime", "tms_stime",
                                           "clock_gettime by syscall()", "clock_getcpuclockid", "the main thread's clock", "minor faults"};
static clockid_t own_clock, main_clock;
static void look_process(int64_t *values) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  int64_t now[PROCESS] = {of_clock(CLOCK_PROCESS_CPUTIME_ID), clock() * 1000LL, of_usage(RUSAGE_SELF, 0), of_usage(RUSAGE_SELF, 1),
                          of_times(0), of_times(1), direct(), of_clock(own_clock), of_clock(main_clock), usage.ru_minflt};
  memcpy(values, now, sizeof now);
}
static void look_thread(int64_t *values) {
  clockid_t clock;
  CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0, "pthread_getcpuclockid");
  int64_t now[THREAD] = {of_clock(CLOCK_THREAD_CPUTIME_ID), of_clock(clock), of_usage(RUSAGE_THREAD, 0) + of_usage(RUSAGE_THREAD, 1)};
  memcpy(values, now, sizeof now);
}
static void compare(const int64_t *before, const int64_t *after, int count, const char *what) {
  for (int i = 0; i < count; i++)
    CHECK(after[i] >= before[i] && after[i] < before[i] + 60000000000LL, "%s, value %d: %lld, before %lld", what, i, (long long)after[i], (long long)before[i]);
}

static volatile int burnt, stop;
static void *body(void *argument) {
  int64_t before[THREAD], after[THREAD];
  burn(200000000);
  look_thread(before);
  burnt = 1;
  while (!stop) probe_sleep_ms(3);
  look_thread(after);
  compare(before, after, THREAD, "a thread");
  CHECK(after[0] >= 200000000, "the thread's time is %lld", (long long)after[0]);
  return argument;
}
static void *young(void *argument) {
  CHECK(of_clock(CLOCK_THREAD_CPUTIME_ID) < 100000000, "a new thread is old");
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(clock_getcpuclockid(0, &own_clock) == 0 && pthread_getcpuclockid(pthread_self(), &main_clock) == 0, "clocks");
  static int64_t before[PROCESS];
  int64_t after[PROCESS], main_before[THREAD], main_after[THREAD];
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  burn(200000000);
  WAIT_UNTIL(burnt, "the thread burns");
  look_thread(main_before);
  look_process(before);
  probe_note("before", (uint64_t)(uintptr_t)&before[0] + 6);
  probe_hold();
  look_process(after);
  look_thread(main_after);
  for (int i = 0; i < PROCESS; i++) compare(&before[i], &after[i], 1, names[i]);
  compare(main_before, main_after, THREAD, "the main thread");
  CHECK(after[0] >= 400000000, "the process's time is %lld", (long long)after[0]);
  CHECK(llabs(of_usage(RUSAGE_SELF, 0) + of_usage(RUSAGE_SELF, 1) - of_clock(CLOCK_PROCESS_CPUTIME_ID)) < 50000000, "rusage and clock differ");
  stop = 1;
  pthread_join(thread, NULL);
  for (int i = 0; i < 8; i++) {
    pthread_create(&thread, NULL, young, NULL);
    pthread_join(thread, NULL);
  }
  pid_t child = fork();
  if (child == 0) _exit(of_clock(CLOCK_PROCESS_CPUTIME_ID) < 100000000 ? 0 : 1);
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "a child has used what its parent has");
  return probe_ok();
}
