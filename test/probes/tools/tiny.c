// A program that Cairn cannot enter when it is linked statically: says that it runs, waits for the file, ends.
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

int main(int argc, char **argv) {
  struct stat status;
  if (argc < 2) return 2;
  puts("running");
  fflush(stdout);
  for (int i = 0; i < 6000 && stat(argv[1], &status) != 0; i++) {
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
  }
  puts("done");
  return 0;
}
