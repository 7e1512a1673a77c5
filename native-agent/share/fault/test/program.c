/* A design in small: reads three blocks. An error in the first one comes into the result, one in the second is noticed, the third is not used. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  char block[3][8];
  puts("ready");
  fflush(stdout);
  while (access("hold", F_OK) == 0) usleep(1000);
  int fd = open("data", O_RDONLY);
  for (int i = 0; i < 3; ++i)
    if (read(fd, block[i], sizeof block[i]) != sizeof block[i]) return 1;
  if (memcmp(block[1], "bbbbbbbb", sizeof block[1]) != 0) puts("parity: corrected");
  printf("%.8s\n", block[0]);
  return 0;
}
