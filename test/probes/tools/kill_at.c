// Runs a program and kills it (SIGKILL) as it is about to make its N-th call of ptrace(2) or pwrite64(2): those by which cairn-attach
// acts on others. Prints how many it made. Status: 3 when it was killed, else the program's.
//
//   kill_at N PROGRAM ARGS…
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  long wanted = atol(argv[1]), made = 0;
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execv(argv[2], argv + 2);
    _exit(127);
  }
  int status = 0, entering = 1;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  for (long pass_on = 0;;) {
    ptrace(PTRACE_SYSCALL, child, 0, pass_on);
    pass_on = 0;
    if (waitpid(child, &status, 0) != child) return 2;
    if (WIFEXITED(status) || WIFSIGNALED(status)) break;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      if (WSTOPSIG(status) != SIGTRAP) pass_on = WSTOPSIG(status);
      continue;
    }
    struct user_regs_struct at;
    ptrace(PTRACE_GETREGS, child, 0, &at);
    if (entering && (at.orig_rax == SYS_ptrace || at.orig_rax == SYS_pwrite64) && ++made == wanted) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      printf("%ld\n", made);
      return 3;
    }
    entering = !entering;
  }
  printf("%ld\n", made);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
