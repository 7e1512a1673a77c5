// As a debugger does: traces a process, lets it run, and detaches at the end of standard input.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  pid_t pid = argc > 1 ? atoi(argv[1]) : 0;
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0) return 2;
  puts("tracing");
  fflush(stdout);
  while (getchar() != EOF) {
  }
  int status = 0;
  ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  waitpid(pid, &status, 0);
  ptrace(PTRACE_DETACH, pid, 0, 0);
  return 0;
}
