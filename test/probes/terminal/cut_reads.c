// Reads of a terminal that waits for several bytes at once (non-canonical mode, VMIN above 1), which a checkpoint finds when some of them have
// come: each goes on to wait for the others, and gives as many as without it, by read, readv and system calls; with VTIME not for longer after
// the last byte than that says. A terminal that wants less than what the call asks for, one of more than it asks for, and one end that closes.
// sabotage: poke @total
// attached: not the whole count: what interrupts the calls first is the attach
// churn: threads
#include "../probe.h"
#include <pty.h>
#include <sys/uio.h>
#include <termios.h>

enum { READ, READV, RAW, RAWV, FEW, PAUSES, PAUSE_ENDS, LESS, CLOSES, KINDS };
static const char *const names[] = {"read", "readv", "system call", "system call of readv", "read of a few", "read with VTIME", "read that VTIME ends",
                                    "read of less than VMIN", "read of what is closed"};
enum { MIN = 20, FIRST = 7 };
static int masters[KINDS], slaves[KINDS];
static volatile long given[KINDS], total = MIN;
static char data[KINDS][256];

static void *body(void *argument) {
  int kind = (int)(long)argument, fd = slaves[kind];
  char *bytes = data[kind];
  struct iovec parts[3] = {{bytes, 5}, {bytes + 5, 6}, {bytes + 11, 200}};
  long result = -2;
  errno = 0;
  switch (kind) {
    case READV: result = readv(fd, parts, 3); break;
    case RAW: result = syscall(SYS_read, fd, bytes, 256); break;
    case RAWV: result = syscall(SYS_readv, fd, parts, 3); break;
    case LESS: result = read(fd, bytes, 12); break;
    default: result = read(fd, bytes, 256); break;
  }
  given[kind] = result == -1 ? -errno : result;
  return argument;
}

static void type(int kind, long from, long to) {
  for (long i = from; i < to; i++) {
    char byte = (char)('a' + i);
    CHECK(write(masters[kind], &byte, 1) == 1, "write");
  }
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t threads[KINDS];
  for (long kind = 0; kind < KINDS; kind++) {
    struct termios modes;
    CHECK(openpty(&masters[kind], &slaves[kind], NULL, NULL, NULL) == 0 && tcgetattr(slaves[kind], &modes) == 0, "openpty");
    cfmakeraw(&modes);
    modes.c_cc[VMIN] = kind == FEW ? 8 : MIN;
    modes.c_cc[VTIME] = kind == PAUSES ? 250 : kind == PAUSE_ENDS ? 30 : 0;
    CHECK(tcsetattr(slaves[kind], TCSANOW, &modes) == 0, "tcsetattr");
    type((int)kind, 0, FIRST);
    pthread_create(&threads[kind], NULL, body, (void *)kind);
  }
  probe_sleep_ms(200);
  probe_note("total", (uint64_t)(uintptr_t)&total);
  probe_hold();
  for (int kind = 0; kind < KINDS; kind++) {
    if (kind != PAUSE_ENDS) CHECK(given[kind] == 0, "%s gave %ld before the others came", names[kind], given[kind]);
    else WAIT_UNTIL(given[kind] != 0, "%s did not end", names[kind]);
  }
  CHECK(given[PAUSE_ENDS] == FIRST, "%s gave %ld", names[PAUSE_ENDS], given[PAUSE_ENDS]);
  for (int kind = 0; kind < KINDS; kind++) {
    if (kind == FEW) type(kind, FIRST, FIRST + 1);
    else if (kind == LESS) type(kind, FIRST, 12);
    else if (kind == CLOSES) close(masters[kind]);
    else if (kind != PAUSE_ENDS) type(kind, FIRST, MIN);
  }
  for (int kind = 0; kind < KINDS; kind++) {
    pthread_join(threads[kind], NULL);
    long wanted = kind == FEW ? 8 : kind == LESS ? 12 : kind == PAUSE_ENDS || kind == CLOSES ? FIRST : total;
    CHECK(given[kind] == wanted, "%s gave %ld of %ld bytes", names[kind], given[kind], wanted);
    for (long i = 0; i < wanted; i++) CHECK(data[kind][i] == 'a' + i, "%s: byte %ld is wrong", names[kind], i);
  }
  return probe_ok();
}
