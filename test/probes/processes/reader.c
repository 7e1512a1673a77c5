// One process writes a file, another one has it open for reading: after a restart the reader sees what this run's writer writes.
// sabotage: poke @cell
#include "../probe.h"
#include <sys/wait.h>

static pid_t root;
static uint64_t cell = 9;

struct shared {
  volatile int stop;
  volatile long seen, last;
};

int main(int argc, char **argv) {
  probe_init(argc, argv);
  root = getpid();
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  struct shared *shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int out = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(write(out, "0\n", 2) == 2, "write");
  pid_t child = fork();
  if (child == 0) {
    close(out);
    FILE *in = fopen("log", "r");
    char line[32];
    while (in && !shared->stop) {
      clearerr(in);
      while (fgets(line, sizeof line, in)) {
        if (atol(line) != shared->seen) _exit(41);
        shared->last = atol(line);
        shared->seen++;
      }
      probe_sleep_ms(3);
      if (kill(root, 0) == -1) _exit(50);  // the probe has failed
    }
    _exit(in ? 0 : 42);
  }
  WAIT_UNTIL(shared->seen == 1, "the reader did not start");
  probe_hold();
  CHECK(cell == 9, "a static value");
  for (long number = 1; number < 40; number++) {
    char line[32];
    int length = snprintf(line, sizeof line, "%ld\n", number);
    CHECK(write(out, line, (size_t)length) == length, "write");
    if (number % 10 == 0) WAIT_UNTIL(shared->seen == number + 1 || kill(child, 0) == -1, "the reader has seen %ld of %ld", shared->seen, number + 1);
  }
  WAIT_UNTIL(shared->seen == 40, "the reader has seen %ld of 40", shared->seen);
  shared->stop = 1;
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the reader ended with %x", status);
  return probe_ok();
}
