// `resident_pair`: a parent and a child that share a pipe; says `ready`, waits until the file `hold` is gone, then sends `data` through the
// child, which adds it up.
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    unsigned char byte;
    unsigned sum = 0;
    while (read(ends[0], &byte, 1) == 1) sum += byte;
    _exit((int)(sum % 251));
  }
  close(ends[0]);
  puts("ready");
  fflush(stdout);
  while (access("hold", F_OK) == 0) usleep(1000);
  int fd = open("data", O_RDONLY);
  char block[8];
  for (ssize_t size; (size = read(fd, block, sizeof block)) > 0;)
    if (write(ends[1], block, (size_t)size) != size) return 2;
  close(ends[1]);
  int status = 0;
  waitpid(child, &status, 0);
  printf("%d gives %d\n", (int)child, WEXITSTATUS(status));
  return 0;
}
