/*
 * The vendor's tool: two threads, each of which works in pieces, each piece under a lease. It knows nothing of checkpoints.
 *
 *   tool ADDRESS FEATURE [FILE]   until FILE is there, or SIGTERM comes
 *
 * Prints "piece N of thread T under LEASE from NS to NS" (of CLOCK_REALTIME) for each, "no licence: WHY" where there is none, and at the
 * end "sum: HEX over N pieces". Exit status 3: it gets none at the start.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../client/lic.h"

enum { THREADS = 2, WORK = 1000000, PAUSE_NS = 8000000 };

static struct lic *lic;
static const char *file;
static volatile sig_atomic_t ends;
static struct {
  uint64_t pieces, sum;
} done[THREADS];

static unsigned long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec;
}

static void say_why(void) {
  char text[400];
  lic_reason(lic, text, sizeof text);
  printf("no licence: %s\n", text);
}

static int is_over(void) {
  struct stat status;
  return ends || (file != NULL && stat(file, &status) == 0);
}

static void work(unsigned thread, uint64_t lease) {
  unsigned long long from = now_ns();
  uint64_t sum = done[thread].sum;
  for (int i = 0; i < WORK; ++i) sum = (sum ^ (uint64_t)i) * 1099511628211u;
  done[thread].sum = sum;
  ++done[thread].pieces;
  printf("piece %llu of thread %u under %016llx from %llu to %llu\n", (unsigned long long)done[thread].pieces, thread,
         (unsigned long long)lease, from, now_ns());
}

static void *run(void *argument) {
  const unsigned thread = (unsigned)(uintptr_t)argument;
  const struct timespec pause = {0, PAUSE_NS};
  while (!is_over()) {
    uint64_t lease;
    if (lic_begin(lic, &lease) != 0) {
      say_why();
      while (!is_over() && lic_wait(lic, 500) != 0) continue;
      continue;
    }
    work(thread, lease);
    lic_end(lic);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

static void end(int signal) {
  (void)signal;
  ends = 1;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  file = argc > 3 ? argv[3] : NULL;
  signal(SIGTERM, end);
  setvbuf(stdout, NULL, _IOLBF, 0);
  int error = lic_checkout(argv[1], argv[2], &lic);
  if (error < 0) {
    say_why();
    return 3;
  }
  pthread_t thread;
  if (pthread_create(&thread, NULL, run, (void *)1) != 0) return 1;
  run((void *)0);
  pthread_join(thread, NULL);
  lic_return(lic);
  printf("sum: %016llx over %llu pieces\n", (unsigned long long)(done[0].sum * 31 + done[1].sum),
         (unsigned long long)(done[0].pieces + done[1].pieces));
  return 0;
}
