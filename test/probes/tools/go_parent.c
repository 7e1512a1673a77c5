// Has the note by which a program of the Go toolchain is known, and a child: says "waiting" while the child waits for one byte of input,
// and "waited" when that has ended; ends after another byte.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

__asm__(
    ".pushsection .note.go.buildid,\"a\",@note\n"
    ".balign 4\n"
    ".long 4, 4, 4\n"
    ".ascii \"Go\\0\\0test\"\n"
    ".popsection");

int main(void) {
  char byte;
  pid_t child = fork();
  if (child == 0) {
    puts("waiting");
    fflush(stdout);
    _exit(read(0, &byte, 1) == 1 ? 3 : 1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 3 << 8) return 1;
  puts("waited");
  fflush(stdout);
  return read(0, &byte, 1) == 1 ? 0 : 2;
}
