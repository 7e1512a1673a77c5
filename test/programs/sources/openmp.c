/* OpenMP: parallel loops, reductions, tasks, locks and critical sections; a line a round. It ends when it was checkpointed. */
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t tree(int depth, uint64_t seed) {
  if (depth == 0) return seed * 2654435761u % 1000003;
  uint64_t left, right;
#pragma omp task shared(left) if (depth > 4)
  left = tree(depth - 1, seed * 2 + 1);
#pragma omp task shared(right) if (depth > 4)
  right = tree(depth - 1, seed * 2 + 2);
#pragma omp taskwait
  return left * 31 + right;
}

int main(void) {
  static double values[100000];
  omp_lock_t lock;
  omp_init_lock(&lock);
  puts("begun"), fflush(stdout);
  for (int round = 0; round < 300; round++) {
    uint64_t sum = 0, locked = 0, critical = 0, tasks = 0;
#pragma omp parallel num_threads(3)
    {
#pragma omp for schedule(dynamic, 500) reduction(+ : sum)
      for (int i = 0; i < 100000; i++) {
        values[i] = values[i] * 0.5 + (i ^ round);
        sum += (uint64_t)values[i] & 0xffff;
      }
      for (int i = 0; i < 200; i++) {
        omp_set_lock(&lock);
        locked += i;
        omp_unset_lock(&lock);
#pragma omp critical
        critical += i * 3;
      }
#pragma omp barrier
#pragma omp single
      tasks = tree(12, round);
    }
    printf("round %d: %llu %llu %llu %llu\n", round, (unsigned long long)sum, (unsigned long long)locked, (unsigned long long)critical,
           (unsigned long long)tasks);
    fflush(stdout);
  }
  while (access("checkpointed", F_OK) != 0) {
#pragma omp parallel num_threads(3)
    usleep(2000);
  }
  puts("end");
  return 0;
}
