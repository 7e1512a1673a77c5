// Calls that take a pid or tid: scheduling, affinity, priority, limits and processor clocks of the process and of a thread.
// sabotage: thread-call 1 sched_setaffinity 0 8 @one
#include "../probe.h"
#include <sys/resource.h>

static volatile int stop;
static volatile pid_t tid;
static volatile long work;
static void *body(void *argument) {
  tid = gettid();
  while (!stop) {
    for (volatile int i = 0; i < 100000; i++) work += i;
    probe_sleep_ms(2);
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid_t pid = getpid();
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(tid, "the thread did not start");
  static uint64_t one;
  cpu_set_t all, mine, got;
  sched_getaffinity(0, sizeof all, &all);
  if (CPU_COUNT(&all) < 2) SKIP("one processor only");
  CPU_ZERO(&mine);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &all)) continue;
    if (CPU_COUNT(&mine) == 0) CPU_SET(cpu, &mine);
    else if (cpu < 64) one = 1ull << cpu;
  }
  probe_note("one", (uint64_t)(uintptr_t)&one);
  CHECK(sched_setaffinity(tid, sizeof mine, &mine) == 0, "sched_setaffinity");
  CHECK(setpriority(PRIO_PROCESS, (id_t)tid, 3) == 0, "setpriority");
  clockid_t clock, process_clock;
  CHECK(pthread_getcpuclockid(thread, &clock) == 0 && clock_getcpuclockid(pid, &process_clock) == 0, "clocks");
  probe_hold();
  CHECK(sched_getaffinity(tid, sizeof got, &got) == 0 && CPU_EQUAL(&got, &mine), "affinity of the thread: %d processors", CPU_COUNT(&got));
  CHECK(pthread_getaffinity_np(thread, sizeof got, &got) == 0 && CPU_EQUAL(&got, &mine), "pthread_getaffinity_np");
  CHECK(sched_getaffinity(pid, sizeof got, &got) == 0 && CPU_EQUAL(&got, &all), "affinity of the process");
  CHECK(getpriority(PRIO_PROCESS, (id_t)tid) == 3, "niceness of the thread is %d", getpriority(PRIO_PROCESS, (id_t)tid));
  CHECK(getpriority(PRIO_PROCESS, (id_t)pid) == 0 || getpriority(PRIO_PROCESS, (id_t)pid) == getpriority(PRIO_PROCESS, 0), "niceness of the process");
  struct sched_param parameters;
  CHECK(sched_getscheduler(tid) == SCHED_OTHER && sched_getparam(pid, &parameters) == 0, "scheduling class");
  CHECK(sched_setscheduler(tid, SCHED_BATCH, &parameters) == 0 && sched_getscheduler(tid) == SCHED_BATCH, "sched_setscheduler");
  struct rlimit limit;
  CHECK(prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0 && limit.rlim_cur > 0, "prlimit");
  struct timespec first, second;
  CHECK(clock_gettime(clock, &first) == 0, "the thread's clock that was asked for before");
  CHECK(clock_gettime(process_clock, &first) == 0, "the process's clock that was asked for before");
  CHECK(pthread_getcpuclockid(thread, &clock) == 0 && clock_gettime(clock, &first) == 0, "pthread_getcpuclockid");
  // On a machine that has other things to do the thread gets its share late.
  second = first;
  for (int i = 0; i < 1000 && second.tv_sec == first.tv_sec && second.tv_nsec == first.tv_nsec; i++) {
    probe_sleep_ms(10);
    CHECK(clock_gettime(clock, &second) == 0, "clock_gettime");
  }
  CHECK(second.tv_sec > first.tv_sec || (second.tv_sec == first.tv_sec && second.tv_nsec > first.tv_nsec), "the thread's clock stands still");
  CHECK(clock_getcpuclockid(pid, &process_clock) == 0 && clock_gettime(process_clock, &first) == 0, "clock_getcpuclockid");
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &first) == 0 && clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &first) == 0, "own clocks");
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
