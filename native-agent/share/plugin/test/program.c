/* Something to checkpoint: counts, and says so. */
#include <stdio.h>
#include <time.h>

int main(void) {
  for (unsigned long count = 0;; ++count) {
    struct timespec pause = {0, 10000000};
    printf("%lu\n", count);
    fflush(stdout);
    nanosleep(&pause, NULL);
  }
}
