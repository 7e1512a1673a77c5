// Waits with a signal's action on its stack, as the kernel gives it: with the address to which handlers return. Ends with the next line.
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kernel_action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

static void handle(int signal) { (void)signal; }

int main(void) {
  volatile struct kernel_action action;
  char line[64];
  signal(SIGUSR1, handle);
  if (syscall(SYS_rt_sigaction, SIGUSR1, NULL, &action, sizeof action.mask) != 0 || action.restorer == NULL) return 2;
  puts("waiting");
  fflush(stdout);
  fgets(line, sizeof line, stdin);
  return action.restorer == NULL;
}
