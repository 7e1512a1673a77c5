// Children that run on in this program's own code, made by other calls than fork: clone(2) on a small stack of its own, with libc's function
// and without, clone3 and _Fork. Each makes a child of its own by fork, sees its ids, waits over the checkpoint and ends: by return, _exit
// or exit(2), which ends a thread, and with the last one the process.
// sabotage: poke @expected
#include "../probe.h"
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { CLONE, RAW, CLONE3, UNDER_FORK, KINDS, WAY_OUT = 3 };
static const char *const names[] = {"clone", "syscall(SYS_clone)", "clone3", "_Fork"};
static uint64_t expected = 40;
static int pipes[KINDS][2];
extern pid_t _Fork(void);

static int child(void *argument) {
  int kind = (int)(intptr_t)argument;
  probe_end_with_parent();
  pid_t self = (pid_t)syscall(SYS_getpid), parent = getppid(), below = fork();
  char byte = 0;
  if (below == 0) {
    probe_end_with_parent();
    self = getpid();
    int got = read(pipes[kind][0], &byte, 1) == 1 && byte == 'g' && getpid() == self ? 7 : 8;
    _exit(got);
  }
  int status = 0, same = read(pipes[kind][0], &byte, 1) == 1 && byte == 'g' && getpid() == self && getppid() == parent;
  int reaped = waitpid(below, &status, 0) == below && WIFEXITED(status) && WEXITSTATUS(status) == 7;
  int result = !same ? 90 : !reaped ? 91 : (int)expected + kind;
  if (kind == RAW) syscall(SYS_exit, result);
  if (kind == WAY_OUT) _exit(result);
  return result;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  size_t size = 16384;
  pid_t children[KINDS];
  for (int i = 0; i < KINDS; i++) {
    CHECK(pipe2(pipes[i], O_CLOEXEC) == 0, "pipe2");
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    if (i == CLONE) {
      char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
      CHECK(stack != MAP_FAILED, "mmap");
      children[i] = clone(child, stack + size, SIGCHLD, (void *)(intptr_t)i);
    } else {
      children[i] = i == RAW      ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, NULL, NULL, 0)
                    : i == CLONE3 ? (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments)
                                  : _Fork();
      if (children[i] == 0) _exit(child((void *)(intptr_t)i));
    }
    CHECK(children[i] > 0, "%s", names[i]);
  }
  probe_sleep_ms(150);
  probe_hold();
  for (int i = 0; i < KINDS; i++) {
    CHECK(kill(children[i], 0) == 0, "the child of %s is gone", names[i]);
    CHECK(write(pipes[i][1], "gg", 2) == 2, "write");
    int status = 0;
    CHECK(waitpid(children[i], &status, 0) == children[i], "waitpid of %s", names[i]);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (int)expected + i, "the child of %s ended with status %x", names[i], (unsigned)status);
  }
  return probe_ok();
}
