// The kernel keeps libc's restartable-sequences area up to date: the processor number in it is the real one.
// sabotage: call rseq @area 32 1 0x53053053
#include "../probe.h"
#include <sys/rseq.h>

static volatile int stop;

static void check_area(const char *who) {
  struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
  int right = 0;
  for (int i = 0; i < 200 && right < 20; i++) {
    unsigned cpu = 0;
    unsigned before = *(volatile uint32_t *)&area->cpu_id;
    syscall(SYS_getcpu, &cpu, NULL, NULL);
    unsigned after = *(volatile uint32_t *)&area->cpu_id;
    if (before == cpu && after == cpu) right++;
    sched_yield();
  }
  CHECK(right == 20, "the area of %s has processor %u", who, area->cpu_id);
}
static void *body(void *argument) {
  check_area("the thread before");
  while (!stop) probe_sleep_ms(3);
  check_area("the thread");
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  if (!__rseq_size) SKIP("libc without restartable sequences");
  probe_note("area", (uint64_t)(uintptr_t)__builtin_thread_pointer() + (uint64_t)__rseq_offset);
  check_area("main before");
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  probe_hold();
  stop = 1;
  // Moved to each processor in turn: a stale area shows at once.
  cpu_set_t all, one;
  sched_getaffinity(0, sizeof all, &all);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &all)) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
    CHECK(sched_getcpu() == cpu, "sched_getcpu is %d on processor %d", sched_getcpu(), cpu);
    check_area("main");
  }
  pthread_join(thread, NULL);
  return probe_ok();
}
