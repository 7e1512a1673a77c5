/* Counts up to a number, a line each, with a sum that tells what was lost or done twice. With the name of a file it does not end before
 * that is there. Its last line has the job of Slurm that its environment names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  uint64_t sum = 88172645463325252u;
  for (int number = 0; argc > 1 && number < atoi(argv[1]); number++) {
    for (int step = 0; step < 300000; step++) sum ^= sum << 13, sum ^= sum >> 7, sum ^= sum << 17;
    printf("%d %016" PRIx64 "\n", number, sum), fflush(stdout);
    usleep(5000);
  }
  while (argc > 2 && access(argv[2], F_OK) != 0) usleep(2000);
  const char *job = getenv("SLURM_JOB_ID");
  printf("end in job %s\n", job ? job : "none");
  return 0;
}
