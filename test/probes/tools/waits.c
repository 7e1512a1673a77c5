// Waits in calls that the kernel goes on with by restart_syscall, one in each thread, for as many milliseconds as its argument says; says
// what they gave.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>
#include <sys/syscall.h>

static int milliseconds;

static struct timespec whole(void) { return (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L}; }

static void *polls(void *unused) {
  int ends[2];
  if (pipe(ends)) return "pipe";
  struct pollfd one = {ends[0], POLLIN, 0};
  return poll(&one, 1, milliseconds) == 0 ? unused : strerror(errno);
}

static void *waits_for_word(void *unused) {
  uint32_t word = 0;
  struct timespec wait = whole();
  long result = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &wait, NULL, 0);
  return result == -1 && errno == ETIMEDOUT ? unused : strerror(errno);
}

int main(int argc, char **argv) {
  milliseconds = argc > 1 ? atoi(argv[1]) : 0;
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, polls, "time-out");
  pthread_create(&threads[1], NULL, waits_for_word, "time-out");
  puts("waiting");
  fflush(stdout);
  struct timespec wait = whole();
  const char *slept = nanosleep(&wait, NULL) == 0 ? "time-out" : strerror(errno);
  void *polled, *waited;
  pthread_join(threads[0], &polled);
  pthread_join(threads[1], &waited);
  printf("nanosleep: %s, poll: %s, futex: %s\n", slept, (char *)polled, (char *)waited);
  return 0;
}
