// `campaign_program [vary]`: says `ready`, waits until the file `hold` is gone, then reads `data` block by block: a design in small, which notices some
// faults (a parity, an error that it is told), and has words by which it hangs or crashes. With `vary` it
// ends with a line that is never the same.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCKS = 10, BLOCK = 8, CHECKED = 3, HANGS = 5, CRASHES = 6 };

int main(int argc, char **argv) {
  (void)argv;
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  while (access("hold", F_OK) == 0) usleep(1000);
  int fd = open("data", O_RDONLY);
  unsigned sum = 0;
  for (int i = 0; i < BLOCKS; i++) {
    char block[BLOCK];
    if (read(fd, block, BLOCK) != BLOCK) {
      puts("the bus gives an error");
      return 3;
    }
    int bad = memcmp(block, "aaaaaaaa", BLOCK) != 0;
    if (i == CHECKED && bad) puts("parity: corrected");
    if (i == CHECKED) continue;
    if (i == HANGS)
      while (bad) pause();
    if (i == CRASHES && bad) abort();
    for (int j = 0; j < BLOCK; j++) sum += (unsigned char)block[j];
  }
  FILE *out = fopen("out.txt", "w");
  // The last bit is lost where there are few of them.
  fprintf(out, "%u\n", sum >> 1);
  fclose(out);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (argc > 1) printf("at %ld.%09ld\n", (long)now.tv_sec, now.tv_nsec);
  printf("done at %d\n", (int)getpid());
  return 0;
}
