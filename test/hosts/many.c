/* So many processes, the first of which says when all are there: many COUNT FILE. They wait until they are ended. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  for (int i = 1; i < atoi(argv[1]); i++) {
    if (fork() == 0) {
      for (;;) pause();
    }
  }
  close(open(argv[2], O_WRONLY | O_CREAT, 0600));
  for (;;) pause();
}
