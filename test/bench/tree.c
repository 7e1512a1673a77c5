// `tree N`: N processes in all, a binary tree, each with a megabyte of touched memory, asleep. The first prints `beat` every 5 ms
// as soon as all are there.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY = 1 << 20 };

// The number of the process that this has become.
static unsigned long grow(unsigned long self, unsigned long count) {
  for (unsigned long child = 2 * self; child <= 2 * self + 1 && child <= count; child++) {
    pid_t pid = fork();
    if (pid < 0) exit(1);
    if (pid == 0) return grow(child, count);
  }
  return self;
}

int main(int argc, char **argv) {
  unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
  unsigned *there = (unsigned *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (there == MAP_FAILED) return 1;
  unsigned long self = grow(1, count);
  uint64_t *memory = (uint64_t *)malloc(MEMORY), value = 88172645463325252ull + self;
  if (!memory) return 1;
  for (size_t i = 0; i < MEMORY / 8; i++) value ^= value << 13, value ^= value >> 7, value ^= value << 17, memory[i] = value;
  __atomic_add_fetch(there, 1, __ATOMIC_SEQ_CST);
  if (self != 1)
    for (;;) pause();
  struct timespec step = {0, 5000000};
  while (__atomic_load_n(there, __ATOMIC_SEQ_CST) < count) nanosleep(&step, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (;;) {
    puts("beat");
    nanosleep(&step, NULL);
  }
}
