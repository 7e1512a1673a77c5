// A team of OpenMP threads: in a barrier, in front of a critical section, and between parallel regions over the checkpoint.
// flags: -fopenmp
// sabotage: poke @sum
#include "../probe.h"
#include <omp.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static volatile long sum;
  probe_note("sum", (uint64_t)(uintptr_t)&sum);
  long inside = 0;
  omp_set_dynamic(0);
#pragma omp parallel num_threads(4)
  {
#pragma omp atomic
    sum += 1;
  }
#pragma omp parallel num_threads(4) reduction(+ : inside)
  {
    int me = omp_get_thread_num();
    if (me == 0) {
#pragma omp critical
      probe_hold();
    } else if (me == 1) {
#pragma omp critical
      inside += 10;
    }
#pragma omp barrier
    inside += me;
#pragma omp for schedule(dynamic)
    for (int i = 0; i < 100; i++) inside += i;
  }
  CHECK(sum == 4 && inside == 10 + 6 + 4950, "the sums are %ld and %ld", sum, inside);
  long after = 0;
#pragma omp parallel for num_threads(4) reduction(+ : after)
  for (int i = 0; i < 1000; i++) after += i;
  CHECK(after == 499500, "a new region gives %ld", after);
  return probe_ok();
}
