// A stand-in for a simulation where none is needed: lines that depend on all lines before, to standard output and to a
// file, at a steady pace, and a signature at the end.
//
//   counter LINES FILE [MICROSECONDS [MEGABYTES [UNTIL]]]
//
// MEGABYTES of touched memory make the image that large; they go into the signature. The last line does not come before the file UNTIL
// is there, and then there are no pauses any more.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t next(uint64_t value) {
  value ^= value << 13;
  value ^= value >> 7;
  value ^= value << 17;
  return value;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int lines = atoi(argv[1]);
  long pause = argc > 3 ? atol(argv[3]) : 0;
  size_t words = argc > 4 ? strtoul(argv[4], NULL, 10) << 17 : 512;
  uint64_t *memory = (uint64_t *)malloc(words * 8), value = 88172645463325252ull;
  FILE *file = fopen(argv[2], "w");
  if (!memory || !file) {
    perror(argv[2]);
    return 1;
  }
  for (size_t i = 0; i < words; i++) memory[i] = value = next(value);
  const char *until = argc > 5 ? argv[5] : NULL;
  for (int i = 1; i <= lines; i++) {
    while (i == lines && until && access(until, F_OK)) nanosleep(&(struct timespec){0, 3000000}, NULL);
    if (until && pause && !access(until, F_OK)) pause = 0;
    uint64_t *cell = &memory[value % words];
    value = next(value + *cell);
    *cell = value;
    printf("%d %016llx\n", i, (unsigned long long)value);
    fprintf(file, "%d %016llx\n", i, (unsigned long long)value);
    fflush(stdout);
    if (i % 3 == 0) fflush(file);
    struct timespec time = {pause / 1000000, pause % 1000000 * 1000};
    while (pause && nanosleep(&time, &time) == -1) {
    }
  }
  for (size_t i = 0; i < words; i++) value = value * 31 + memory[i];
  printf("signature: %016llx\n", (unsigned long long)value);
  fprintf(file, "signature: %016llx\n", (unsigned long long)value);
  return fclose(file) ? 1 : 0;
}
