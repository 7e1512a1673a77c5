// Niceness, scheduling class, names, personality, prctl settings, timer slack, the score for the out-of-memory killer and what a core dump holds.
// sabotage: call prctl 15 @name
#include "../probe.h"
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int read_number(const char *path, int base) {
  char text[32] = "";
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0) return -9999;
  close(fd);
  return (int)strtol(text, NULL, base);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static char name[16] = "not-this";
  probe_note("name", (uint64_t)(uintptr_t)name);
  CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0, "setpriority");
  struct sched_param parameters = {0};
  CHECK(sched_setscheduler(0, SCHED_BATCH, &parameters) == 0, "sched_setscheduler");
  CHECK(prctl(PR_SET_NAME, "a probe") == 0, "PR_SET_NAME");
  CHECK(prctl(PR_SET_DUMPABLE, 1) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_SET_TIMERSLACK, 123456) == 0, "prctl");
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0, "prctl");
  int fd = open("/proc/self/oom_score_adj", O_WRONLY);
  CHECK(fd >= 0 && write(fd, "321", 3) == 3, "oom_score_adj");
  close(fd);
  fd = open("/proc/self/coredump_filter", O_WRONLY);
  CHECK(fd >= 0 && write(fd, "0x15", 4) == 4, "coredump_filter");
  close(fd);
  int before = personality(0xffffffff);
  CHECK(personality((unsigned long)before | ADDR_NO_RANDOMIZE) != -1, "personality");
  probe_hold();
  char text[64] = "";
  CHECK(prctl(PR_GET_NAME, text) == 0 && strcmp(text, "a probe") == 0, "name is '%s'", text);
  fd = open("/proc/self/comm", O_RDONLY);
  CHECK(fd >= 0 && read(fd, text, sizeof text) == 8 && memcmp(text, "a probe\n", 8) == 0, "/proc/self/comm is '%s'", text);
  CHECK(getpriority(PRIO_PROCESS, 0) == 5, "niceness is %d", getpriority(PRIO_PROCESS, 0));
  CHECK(sched_getscheduler(0) == SCHED_BATCH, "scheduling class is %d", sched_getscheduler(0));
  int reaper = 0;
  CHECK(prctl(PR_GET_CHILD_SUBREAPER, &reaper) == 0 && reaper == 1, "child subreaper");
  CHECK(prctl(PR_GET_DUMPABLE) == 1, "dumpable is %d", prctl(PR_GET_DUMPABLE));
  CHECK(prctl(PR_GET_TIMERSLACK) == 123456, "timer slack is %d", prctl(PR_GET_TIMERSLACK));
  CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no new privileges");
  CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "transparent huge pages");
  CHECK(read_number("/proc/self/oom_score_adj", 10) == 321, "oom_score_adj is %d", read_number("/proc/self/oom_score_adj", 10));
  CHECK(read_number("/proc/self/coredump_filter", 16) == 0x15, "coredump_filter is %x", (unsigned)read_number("/proc/self/coredump_filter", 16));
  CHECK(personality(0xffffffff) == (before | ADDR_NO_RANDOMIZE), "personality is %x", (unsigned)personality(0xffffffff));
  return probe_ok();
}
