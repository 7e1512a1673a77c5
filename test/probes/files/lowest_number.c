// Who opens a file gets the lowest number that is free, and what a new process gives a number by dup2 stays there: whatever Cairn
// opens for a moment of its own is never seen among the program's descriptors, also while a checkpoint or a child's agent begins.
// sabotage: poke @expected
// attached: not beside threads that look: the library itself is loaded through a descriptor of a moment
// churn: maps threads fds SigPnd ShdPnd SigBlk
#include "../probe.h"
#include <sys/wait.h>

enum { numbers = 12, looks = 60 };

static volatile int expected, got, opened, rounds, stop, status_seen;

static void *opens(void *argument) {
  for (; !stop; opened++) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd != expected) got = fd;
    close(fd);
  }
  return argument;
}

/// 0, or which number was lost or was not the lowest.
static int child_looks(void) {
  int first = dup(0);
  if (first < 0) return 100;
  for (int i = 0; i < numbers; i++) {
    if (dup2(0, first + i) != first + i) return 101;
  }
  for (int look = 0; look < looks; look++) {
    for (int i = 0; i < numbers; i++) {
      if (fcntl(first + i, F_GETFD) == -1) return 1 + i;
    }
    int number = first + look % numbers;
    close(number);
    if (dup(0) != number) return 50 + look % numbers;
    sched_yield();
  }
  return 0;
}

static void *forks(void *argument) {
  for (; !stop; rounds++) {
    pid_t child = fork();
    if (child == 0) _exit(child_looks());
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) status_seen = status;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  expected = dup(0);
  CHECK(expected > 0 && close(expected) == 0, "dup");
  pthread_t one, two;
  pthread_create(&one, NULL, opens, NULL);
  pthread_create(&two, NULL, forks, NULL);
  WAIT_UNTIL(rounds > 3 && opened > 100, "nothing is opened");
  probe_hold();
  int so_far = rounds, opened_so_far = opened;
  for (int i = 0; i < 2000 && (rounds < so_far + 20 || opened < opened_so_far + 1000); i++) probe_sleep_ms(10);
  CHECK(rounds >= so_far + 20 && opened >= opened_so_far + 1000, "nothing is opened any more");
  stop = 1;
  pthread_join(one, NULL);
  pthread_join(two, NULL);
  CHECK(got == 0, "open gave %d, the lowest free number was %d", got, expected);
  CHECK(status_seen == 0, "a child's descriptor was closed or was not the lowest (status %x)", (unsigned)status_seen);
  return probe_ok();
}
