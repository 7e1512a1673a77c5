// Calls that take long without waiting, and look for signals meanwhile: reads of /dev/zero and /dev/urandom, getrandom, fallocate on memory.
// A checkpoint in the middle of one leaves none of them short or interrupted.
// sabotage: poke @total
// attached: not the whole count: what interrupts the calls first is the attach
// churn: threads maps
#include "../probe.h"
#include <sys/random.h>
#include <sys/uio.h>

enum { ZERO, ZEROV, ZERO_AT, RANDOM, GETRANDOM, FALLOCATE, KINDS };
static const char *const names[] = {"read of /dev/zero", "readv of /dev/zero", "pread of /dev/zero", "read of /dev/urandom", "getrandom", "fallocate"};
enum { BYTES = 8 << 20 };
static volatile long total = BYTES;
static volatile int stop, rounds[KINDS];
static char wrong[KINDS][128];

static void *body(void *argument) {
  int kind = (int)(long)argument;
  int fd = kind <= ZERO_AT ? open("/dev/zero", O_RDONLY) : kind == RANDOM ? open("/dev/urandom", O_RDONLY) : kind == FALLOCATE ? memfd_create("room", 0) : -1;
  char *bytes = kind == FALLOCATE ? NULL : (char *)mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct iovec parts[2] = {{bytes, BYTES / 3}, {bytes + BYTES / 3, BYTES - BYTES / 3}};
  while (!stop && wrong[kind][0] == 0) {
    long result = 0;
    switch (kind) {
      case ZERO: result = read(fd, bytes, BYTES); break;
      case ZEROV: result = readv(fd, parts, 2); break;
      case ZERO_AT: result = pread(fd, bytes, BYTES, 1000); break;
      case RANDOM: result = read(fd, bytes, BYTES); break;
      case GETRANDOM: result = getrandom(bytes, BYTES, 0); break;
      default: result = fallocate(fd, 0, 0, BYTES) == 0 ? total : -1; break;
    }
    if (result != total) snprintf(wrong[kind], sizeof wrong[kind], "%s gave %ld: %s", names[kind], result, result < 0 ? strerror(errno) : "short");
    if (kind == FALLOCATE) ftruncate(fd, 0) == 0 ? (void)0 : (void)snprintf(wrong[kind], sizeof wrong[kind], "ftruncate");
    rounds[kind]++;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t threads[KINDS];
  for (long kind = 0; kind < KINDS; kind++) pthread_create(&threads[kind], NULL, body, (void *)kind);
  for (int kind = 0; kind < KINDS; kind++) WAIT_UNTIL(rounds[kind] > 0, "%s does not begin", names[kind]);
  probe_note("total", (uint64_t)(uintptr_t)&total);
  probe_hold();
  for (int kind = 0; kind < KINDS; kind++) {
    int seen = rounds[kind];
    WAIT_UNTIL(rounds[kind] > seen + 1 || wrong[kind][0], "%s does not go on", names[kind]);
  }
  stop = 1;
  for (int kind = 0; kind < KINDS; kind++) {
    pthread_join(threads[kind], NULL);
    CHECK(wrong[kind][0] == 0, "%s", wrong[kind]);
  }
  return probe_ok();
}
