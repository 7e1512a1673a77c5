// Waits for a child by a system call of its own. Says "waiting"; after one byte of input the child ends, and "waited"; ends after another.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  char byte;
  pid_t child = fork();
  if (child == 0) {
    puts("waiting");
    fflush(stdout);
    _exit(read(0, &byte, 1) == 1 ? 3 : 1);
  }
  int status = 0;
  long result;
  register long usage __asm__("r10") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"((long)SYS_wait4), "D"((long)child), "S"(&status), "d"(0L), "r"(usage)
                   : "rcx", "r11", "memory");
  if (result != child || status != 3 << 8) return 1;
  puts("waited");
  fflush(stdout);
  return read(0, &byte, 1) == 1 ? 0 : 2;
}
