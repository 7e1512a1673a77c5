// What the probes of System V objects share: removal of everything with the probe's own size, below all wrappers. Segments outlive
// runs that are killed, and a restarted run's are always new ones: so the last run removes them all.
#ifndef SYSV_PROBE_H
#define SYSV_PROBE_H
#include "../probe.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>

static long sysv_call(long number, long a, long b, long c) {
  long result;
#ifdef __i386__
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
#else
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
#endif
}

// Removes the segments of which the size is from `smallest` to `largest`: each probe has sizes of its own. How many there were.
__attribute__((unused)) static int sysv_remove_segments(unsigned long smallest, unsigned long largest) {
  FILE *list = fopen("/proc/sysvipc/shm", "r");
  char line[512];
  int count = 0;
  while (list && fgets(line, sizeof line, list)) {
    int key, id, mode;
    unsigned long size;
    if (sscanf(line, "%d %d %o %lu", &key, &id, (unsigned *)&mode, &size) != 4 || size < smallest || size > largest) continue;
    if (sysv_call(SYS_shmctl, id, IPC_RMID, 0) == 0) count++;
  }
  if (list) fclose(list);
  return count;
}

// A check whose failure still lets the probe tidy up: the first that fails is kept.
__attribute__((unused)) static char sysv_wrong[256];
#define SYSV_CHECK(condition, ...)                                                                                  \
  do {                                                                                                              \
    if (!sysv_wrong[0] && !(condition)) {                                                                           \
      int sysv_at = snprintf(sysv_wrong, sizeof sysv_wrong, "line " PROBE_TEXT(__LINE__) ", errno %d: ", errno);    \
      snprintf(sysv_wrong + sysv_at, sizeof sysv_wrong - (size_t)sysv_at, "" __VA_ARGS__);                          \
    }                                                                                                               \
  } while (0)

#endif
