// A process that detached itself as daemons do: its session's leader has ended, its parent is the system's first process.
// sabotage: poke @cell
// attached: not a descendant any more: the daemon would be attached by its own pid
#include "../probe.h"
#include <sys/wait.h>

static pid_t root;

struct shared {
  volatile int go, count;
  volatile pid_t pid, session, group, parent;
};
static uint64_t cell = 3;

int main(int argc, char **argv) {
  probe_init(argc, argv);
  root = getpid();
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  struct shared *shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    shared->pid = getpid();
    while (!shared->go) {
      shared->session = getsid(0);
      shared->group = getpgrp();
      shared->parent = getppid();
      shared->count++;
      probe_sleep_ms(3);
      if (kill(root, 0) == -1) _exit(50);  // the probe has failed
    }
    shared->go = 2;
    _exit(0);
  }
  CHECK(waitpid(child, NULL, 0) == child, "waitpid");
  WAIT_UNTIL(shared->count > 3 && shared->parent != child, "the daemon did not start");
  pid_t parent = shared->parent;
  probe_hold();
  CHECK(cell == 3, "a static value");
  int before = shared->count;
  WAIT_UNTIL(shared->count > before + 3, "the daemon does not run");
  CHECK(shared->session == child && shared->group == child, "its session is %d, its group %d, were %d", shared->session, shared->group, child);
  CHECK(shared->parent == parent && shared->parent != getpid(), "its parent is %d, was %d", shared->parent, parent);
  CHECK(kill(shared->pid, 0) == 0, "kill with signal 0");
  shared->go = 1;
  WAIT_UNTIL(shared->go == 2, "the daemon did not end");
  return probe_ok();
}
