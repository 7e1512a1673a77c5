// Children end while their parents are stopped already and they themselves are not: the signal comes after the parents' threads have been
// looked at. Who waits for SIGCHLD before it takes a child is told of every end, and of none twice.
// churn: maps threads fds SigPnd ShdPnd SigBlk
// attached: not about this: getting into a tree of processes that fork all the time is a matter of its own
// sabotage: poke @expected
#include "../probe.h"
#include <sys/wait.h>

enum { parents = 4 };
static struct {
  volatile int stop, ended[parents];
} *shared;
static volatile int expected = parents;

static int told(void) {
  sigset_t set;
  struct timespec pause = {0, 20000000};
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return sigtimedwait(&set, NULL, &pause) == SIGCHLD;
}

static void parent(int self) {
  probe_end_with_parent();
  while (!shared->stop) {
    if (fork() == 0) _exit(7);
    while (!told())
      if (shared->stop) _exit(3);
    int status = -1;
    CHECK(waitpid(-1, &status, WNOHANG) > 0, "told of an end, and no child has ended");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a child with status %x", (unsigned)status);
    shared->ended[self]++;
  }
  _exit(0);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < parents; i++)
    if (fork() == 0) parent(i);
  for (int i = 0; i < parents; i++) WAIT_UNTIL(shared->ended[i] > 2, "no children of parent %d end", i);
  probe_hold();
  for (int i = 0; i < parents; i++) {
    int before = shared->ended[i];
    WAIT_UNTIL(shared->ended[i] >= before + 3, "parent %d waits for the end of a child that has ended", i);
  }
  shared->stop = 1;
  int status, well = 0;
  while (waitpid(-1, &status, 0) > 0) well += WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3);
  CHECK(well == expected, "%d parents ended well", well);
  return probe_ok();
}
