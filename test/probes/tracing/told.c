// A debugger that sleeps until SIGCHLD comes, as gdb does, is woken by each stop of its tracees: also by one that happens by itself while
// the computation is being stopped. The tracees stop when they see that their debugger, which blocks nothing, has everything blocked.
// attached: not attached while it is traced
// sabotage: poke @cell
// attached: not possible: what another process traces, Cairn cannot get into
#include "../probe.h"
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { TRACEES = 8 };
static struct {
  volatile long made[TRACEES], seen[TRACEES];
  volatile int ready;
} *shared;
static uint64_t cell = 3;

static void on_child(int number) { (void)number; }

/// Whether a process has everything blocked.
static int is_held(const char *status_file) {
  char text[4096];
  int fd = open(status_file, O_RDONLY);
  ssize_t size = fd == -1 ? -1 : read(fd, text, sizeof text - 1);
  if (fd != -1) close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  const char *mask = strstr(text, "SigBlk:\t");
  return mask != NULL && strncmp(mask + 8, "ffff", 4) == 0;
}

static void tracee(int which, pid_t debugger) {
  probe_end_with_parent();
  char status_file[64];
  snprintf(status_file, sizeof status_file, "/proc/%d/status", debugger);
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  raise(SIGSTOP);
  for (;;) {
    if (is_held(status_file)) {
      ++shared->made[which];
      __asm__ volatile("int3");
    }
  }
}

static void debugger(void) {
  probe_end_with_parent();
  sigset_t child_signal, none;
  sigemptyset(&none);
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  struct sigaction action = {.sa_handler = on_child};
  sigaction(SIGCHLD, &action, NULL);
  pid_t self = getpid(), pids[TRACEES];
  for (int i = 0; i < TRACEES; i++) {
    pids[i] = fork();
    if (pids[i] == 0) tracee(i, self);
    CHECK(waitpid(pids[i], NULL, 0) == pids[i], "waitpid");
    CHECK(ptrace(PTRACE_SETOPTIONS, pids[i], 0, PTRACE_O_EXITKILL) == 0, "PTRACE_SETOPTIONS");
  }
  sigprocmask(SIG_BLOCK, &child_signal, NULL);
  for (int i = 0; i < TRACEES; i++) CHECK(ptrace(PTRACE_CONT, pids[i], 0, 0) == 0, "PTRACE_CONT");
  shared->ready = 1;
  for (;;) {
    sigsuspend(&none);
    int status;
    for (int i = 0; i < TRACEES; i++) {
      if (waitpid(pids[i], &status, WNOHANG) != pids[i]) continue;
      CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "tracee %d: status %x", i, status);
      ++shared->seen[i];
      CHECK(ptrace(PTRACE_CONT, pids[i], 0, 0) == 0, "PTRACE_CONT");
    }
  }
}

static int all_seen(void) {
  for (int i = 0; i < TRACEES; i++)
    if (shared->seen[i] != shared->made[i]) return 0;
  return 1;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED, "mmap");
  pid_t child = fork();
  if (child == 0) debugger();
  WAIT_UNTIL(shared->ready, "the debugger does not begin");
  probe_hold();
  CHECK(cell == 3, "a static value");
  WAIT_UNTIL(all_seen(), "the debugger was not told of a stop");
  kill(child, SIGKILL);
  CHECK(waitpid(child, NULL, 0) == child, "waitpid");
  return probe_ok();
}
