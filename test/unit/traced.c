// Traces a process of two threads that ends, and does not take the second one from the kernel before its standard input ends.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void *wait_forever(void *nothing) {
  for (;;) pause();
  return nothing;
}

int main(void) {
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    pthread_t thread;
    pthread_create(&thread, NULL, wait_forever, NULL);
    _exit(7);
  }
  int status;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, child, 0, 0);
  unsigned long thread = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_GETEVENTMSG, child, 0, &thread);
  waitpid((pid_t)thread, &status, __WALL);
  ptrace(PTRACE_CONT, (pid_t)thread, 0, 0);
  printf("%d\n", child);
  fflush(stdout);
  char byte;
  (void)!read(0, &byte, 1);
  ptrace(PTRACE_CONT, child, 0, 0);
  printf("goes on\n");
  fflush(stdout);
  (void)!read(0, &byte, 1);
  waitpid((pid_t)thread, &status, __WALL);
  waitpid(child, &status, 0);
  return 0;
}
