/* Threads that allocate, keep and free memory of all sizes; what they computed is printed at the end of each round. They end when they were checkpointed. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { threads = 4, rounds = 150, slots = 400 };
static pthread_barrier_t barrier;
static uint64_t sums[threads];

static uint64_t next(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return *state;
}

static void *work(void *argument) {
  size_t number = (size_t)argument;
  uint64_t state = number * 77 + 5;
  struct { unsigned char *memory; size_t size; unsigned char mark; } slot[slots] = {0};
  for (int round = 0; round < rounds; round++) {
    for (int step = 0; step < 4000; step++) {
      int at = next(&state) % slots;
      if (slot[at].memory != NULL) {
        for (size_t i = 0; i < slot[at].size; i += 97)
          if (slot[at].memory[i] != slot[at].mark) printf("FAIL: round %d thread %zu\n", round, number), exit(1);
        sums[number] += slot[at].size * slot[at].mark;
      }
      size_t size = next(&state) % 100 == 0 ? next(&state) % 400000 + 1 : next(&state) % 2000 + 1;
      if (step % 3 == 0) free(slot[at].memory), slot[at].memory = malloc(size);
      else slot[at].memory = realloc(slot[at].memory, size);
      slot[at].size = size, slot[at].mark = (unsigned char)next(&state);
      memset(slot[at].memory, slot[at].mark, size);
    }
    pthread_barrier_wait(&barrier);
    if (number == 0) {
      uint64_t sum = 0;
      for (int i = 0; i < threads; i++) sum += sums[i];
      printf("round %d: %llu\n", round, (unsigned long long)sum), fflush(stdout);
    }
    pthread_barrier_wait(&barrier);
  }
  while (access("checkpointed", F_OK) != 0) usleep(2000);
  for (int i = 0; i < slots; i++) free(slot[i].memory);
  return NULL;
}

int main(void) {
  pthread_t thread[threads];
  pthread_barrier_init(&barrier, NULL, threads);
  puts("begun"), fflush(stdout);
  for (size_t i = 0; i < threads; i++) pthread_create(&thread[i], NULL, work, (void *)i);
  for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  puts("end");
  return 0;
}
