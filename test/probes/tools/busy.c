// Computes and allocates without a system call, in a function with much room on its stack that it has not written to: what the loader has
// left there at the start stays. Argument: a file; says "busy" and goes on until its first byte is not zero.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int count, char **words) {
  volatile unsigned char room[65536];
  if (count < 2) return 2;
  int fd = open(words[1], O_RDONLY);
  volatile unsigned char *over = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
  if (fd < 0 || over == MAP_FAILED) return 3;
  puts("busy");
  fflush(stdout);
  unsigned long number = 1, amiss = 0;
  while (*over == 0) {
    number = number * 6364136223846793005UL + 1442695040888963407UL;
    unsigned char *memory = malloc(16 + (number >> 52));
    for (int i = 0; i < 16; i++) memory[i] = (unsigned char)(number >> i);
    for (int i = 0; i < 16; i++) amiss += memory[i] != (unsigned char)(number >> i);
    free(memory);
    room[0] = (unsigned char)number;
  }
  return amiss != 0 || room[0] != (unsigned char)number;
}
