// A program closes every number that could be a descriptor, as daemons do, one by one and by ranges, also in a child that goes on without
// another program: none that it does not have is closed, and what it then opens under those numbers is its alone.
// sabotage: call close 700
#include "../probe.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { LIMIT = 1100, FIRST = 700 };

static double cpu_seconds(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/// What watches descriptors that are gone does so all the time.
static int is_quiet(void) {
  double before = cpu_seconds();
  probe_sleep_ms(1600);
  return cpu_seconds() - before < 0.05;
}

static int pipes[LIMIT][2], count;

static int are_whole(void) {
  for (int i = 0; i < count; i++) {
    int got = -1;
    if (write(pipes[i][1], &i, sizeof i) != sizeof i || read(pipes[i][0], &got, sizeof got) != sizeof got || got != i) return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < LIMIT) SKIP("no more than %ld open files", (long)limit.rlim_max);
  limit.rlim_cur = LIMIT;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  for (int fd = 3; fd < LIMIT; fd++) close(fd);
  CHECK(close(FIRST) == -1 && errno == EBADF, "a number that is closed");
  CHECK(is_quiet(), "after close, something is busy");
  int ready[2], leave[2];
  CHECK(pipe(ready) == 0 && pipe(leave) == 0 && dup2(ready[1], 10) == 10 && dup2(leave[0], 11) == 11, "pipe");
  pid_t child = fork();
  CHECK(child >= 0, "fork");
  if (child == 0) {
    probe_end_with_parent();
    for (int fd = 3; fd < 10; fd++) close(fd);
    close_range(12, 800, 0);
    closefrom(12);
    char result = is_quiet() ? 'q' : 'b';
    if (write(10, &result, 1) != 1 || read(11, &result, 1) != 0) _exit(1);
    _exit(is_quiet() ? 0 : 2);
  }
  char result;
  CHECK(read(ready[0], &result, 1) == 1 && result == 'q', "after closefrom, something is busy");
  // As many as there may be: every number from the lowest on but those that somebody else has.
  while (count < LIMIT && pipe(pipes[count]) == 0) count++;
  CHECK(count > LIMIT / 2 - 20, "pipes: %d", count);
  CHECK(are_whole(), "a pipe");
  // Who makes the snapshot needs some for a moment.
  for (int i = 0; i < 12; i++) {
    close(pipes[--count][0]);
    close(pipes[count][1]);
  }
  probe_hold();
  CHECK(are_whole(), "a pipe");
  CHECK(is_quiet(), "something is busy");
  int status = -1;
  for (int fd = 3; fd < LIMIT; fd++) close(fd);
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child: %x", (unsigned)status);
  return probe_ok();
}
