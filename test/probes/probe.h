// What every probe shares: the line protocol with the harness, waiting, and checks.
//
// A probe sets something up, calls probe_hold(), which prints `ready`, and checks everything when that returns. It is told
// to by a file named on its command line, of which only the size is looked at (stat and nanosleep: nothing that would
// itself need restoring): absent or 0 bytes: hold on; 1 byte: check now; n bytes: print `alive n` once, and hold on.
// The last line is `ok`, `FAIL: …` or `skip: …`. Output goes by write(2), so that stdio stays a thing to be probed.
//
// Comments at the top of a probe that the harness reads:
//   // sabotage: …   what tools/tamper does to the process before the check; the probe must then fail (sabotage.test.ts)
//   // flags: …      for the compiler
//   // library: …    sources in libraries/ to build as lib<name>.so; the folder is argv[2]
//   // needs: pty    standard input and output are a terminal of 100 columns and 30 rows
//   // needs: partner   the same source as a program of the other kind (32 or 64 bits), whose path is argv[3]
//   // optional: …   kind of file that a checkpoint may refuse, naming it; the probe is then skipped and counted
//   // bits: …       "64, 32": as a 32-bit program, too, in every run of the tests (else only when asked for); "64 only", "32 only"
//   // attached: …   what a checkpoint refuses when the probe was attached after it had set this up; "not …": why that is no test of it
//   // other user: …   why a restart by another user is refused; "not …": why that is no test of it
//   // alone: …      why it cannot be restarted twice at once beside the run: it has what is there once on a host
//   // signal: …     sent instead of the 1-byte file
//   // looks: twice  "kill and restart" makes two checkpoints of the run, and the second is the one that is restarted
//   // churn: maps threads fds    what the second oracle cannot compare, since it changes all the time (also fields of /proc/PID/status)
#ifndef CAIRN_PROBE_H
#define CAIRN_PROBE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *probe_control_file;
static const char *probe_libraries;
static volatile long probe_size_seen;
static volatile int probe_is_ready;

// NAME in a folder for everybody's files, outside of the working folder, which goes when the probe's runs are over.
__attribute__((unused)) static char *probe_outside(char *path, size_t size, const char *name) {
  snprintf(path, size, "%.*soutside/%s", (int)(strrchr(probe_control_file, '/') + 1 - probe_control_file), probe_control_file, name);
  return path;
}

__attribute__((format(printf, 1, 2), unused)) static void probe_say(const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
  line[length] = '\n';
  if (write(1, line, (size_t)length + 1) < 0) _exit(2);
}

#define PROBE_TEXT_(x) #x
#define PROBE_TEXT(x) PROBE_TEXT_(x)
// Ends the probe, from any thread, with what was wrong and errno.
#define CHECK(condition, ...)                                                                      \
  do {                                                                                             \
    errno = 0;                                                                                     \
    if (!(condition)) {                                                                            \
      int probe_error = errno;                                                                     \
      char probe_what[256];                                                                        \
      snprintf(probe_what, sizeof probe_what, "" __VA_ARGS__);                                     \
      probe_say("FAIL: %s (line " PROBE_TEXT(__LINE__) ", errno %d: %s)", probe_what, probe_error, \
                strerror(probe_error));                                                            \
      _exit(1);                                                                                    \
    }                                                                                              \
  } while (0)
#define SKIP(...)                                             \
  do {                                                        \
    char probe_what[256];                                     \
    snprintf(probe_what, sizeof probe_what, "" __VA_ARGS__);  \
    probe_say("skip: %s", probe_what);                        \
    _exit(77);                                                \
  } while (0)

__attribute__((unused)) static void probe_init(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s CONTROL_FILE [LIBRARY_FOLDER]\n", argv[0]);
    _exit(2);
  }
  probe_control_file = argv[1];
  probe_libraries = argc > 2 ? argv[2] : ".";
}

// A value that the line `// sabotage:` may name as @name.
__attribute__((unused)) static void probe_note(const char *name, uint64_t value) {
  probe_say("note %s %llu", name, (unsigned long long)value);
}

__attribute__((unused)) static void probe_ready(void) {
  probe_is_ready = 1;
  probe_say("ready");
}

// In a child that nobody ends when the probe fails: it ends with its parent's main thread.
__attribute__((unused)) static void probe_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

// Sleeps in spite of signals.
__attribute__((unused)) static void probe_sleep_ms(long milliseconds) {
  struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) == -1 && errno == EINTR) {
  }
}

// 1: check now.
__attribute__((unused)) static int probe_poll(void) {
  struct stat status;
  if (stat(probe_control_file, &status) == -1) return 0;
  long size = (long)status.st_size;
  if (size > 1 && size != probe_size_seen) {
    probe_size_seen = size;
    probe_say("alive %ld", size);
  }
  return size == 1;
}

// Says `ready` if nobody did, and returns when it is time to check.
__attribute__((unused)) static void probe_hold(void) {
  if (!probe_is_ready) probe_ready();
  for (int waited = 0; !probe_poll(); waited++) {
    if (waited > 20000) {
      probe_say("FAIL: nobody said to check");
      _exit(1);
    }
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
  }
}

// Waits until the condition holds, at most ten seconds.
#define WAIT_UNTIL(condition, ...)                                   \
  do {                                                               \
    int probe_waited = 0;                                            \
    while (!(condition) && probe_waited++ < 5000) probe_sleep_ms(2); \
    CHECK((condition), __VA_ARGS__);                                 \
  } while (0)

__attribute__((unused)) static int probe_ok(void) {
  probe_say("ok");
  return 0;
}

// Every byte depends on its address in the region and on the seed, so that a page in a wrong place shows.
__attribute__((unused)) static void probe_fill(void *start, size_t bytes, uint64_t seed) {
  uint64_t *words = (uint64_t *)start;
  for (size_t i = 0; i < bytes / 8; i++) words[i] = (i + seed) * 0x9e3779b97f4a7c15ull;
}
// -1, or the offset of the first byte that is wrong.
__attribute__((unused)) static long probe_compare(const void *start, size_t bytes, uint64_t seed) {
  const uint64_t *words = (const uint64_t *)start;
  for (size_t i = 0; i < bytes / 8; i++)
    if (words[i] != (i + seed) * 0x9e3779b97f4a7c15ull) return (long)(i * 8);
  return -1;
}
__attribute__((unused)) static long probe_nonzero(const void *start, size_t bytes) {
  const char *from = (const char *)start;
  for (size_t i = 0; i < bytes; i++)
    if (from[i]) return (long)i;
  return -1;
}

#endif
