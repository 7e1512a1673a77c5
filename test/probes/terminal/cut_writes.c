// Writes to a terminal which a checkpoint finds half done: where nobody reads what was written, where the output is held (tcflow), and to a
// master's end whose other end does not read. Each gives the whole count, by write, writev and system calls.
// sabotage: poke @total
// attached: not the whole count: what interrupts the calls first is the attach
// churn: threads
#include "../probe.h"
#include <pty.h>
#include <sys/uio.h>
#include <termios.h>

enum { WRITE, WRITEV, RAW, HELD, MASTER, KINDS };
static const char *const names[] = {"write", "writev", "system call", "write to a held terminal", "write to the master's end"};
enum { BYTES = 100000 };
static int masters[KINDS], slaves[KINDS];
static volatile long given[KINDS], total = BYTES;
static char *data;

static char byte_at(long position) { return (char)((unsigned long)position * 2654435761u >> 13); }

static void *body(void *argument) {
  int kind = (int)(long)argument, fd = kind == MASTER ? masters[kind] : slaves[kind];
  struct iovec parts[2] = {{data, BYTES / 3}, {data + BYTES / 3, BYTES - BYTES / 3}};
  long result;
  if (kind == WRITEV) result = writev(fd, parts, 2);
  else if (kind == RAW) result = syscall(SYS_write, fd, data, BYTES);
  else result = write(fd, data, BYTES);
  given[kind] = result == -1 ? -errno : result;
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t threads[KINDS];
  data = (char *)malloc(BYTES);
  for (long i = 0; i < BYTES; i++) data[i] = byte_at(i);
  for (long kind = 0; kind < KINDS; kind++) {
    struct termios modes;
    CHECK(openpty(&masters[kind], &slaves[kind], NULL, NULL, NULL) == 0 && tcgetattr(slaves[kind], &modes) == 0, "openpty");
    cfmakeraw(&modes);
    CHECK(tcsetattr(slaves[kind], TCSANOW, &modes) == 0, "tcsetattr");
    pthread_create(&threads[kind], NULL, body, (void *)kind);
  }
  probe_sleep_ms(200);
  CHECK(tcflow(slaves[HELD], TCOOFF) == 0, "tcflow");
  probe_note("total", (uint64_t)(uintptr_t)&total);
  probe_hold();
  for (int kind = 0; kind < KINDS; kind++) CHECK(given[kind] == 0, "%s gave %ld before there was room", names[kind], given[kind]);
  CHECK(tcflow(slaves[HELD], TCOON) == 0, "tcflow");
  static char block[BYTES];
  for (int kind = 0; kind < KINDS; kind++) {
    int fd = kind == MASTER ? slaves[kind] : masters[kind];
    for (long got = 0; got < BYTES;) {
      ssize_t count = read(fd, block, (size_t)(BYTES - got));
      CHECK(count > 0, "%s: %ld bytes came", names[kind], got);
      for (ssize_t i = 0; i < count; i++) CHECK(block[i] == byte_at(got + i), "%s: byte %ld is wrong", names[kind], got + i);
      got += count;
    }
    pthread_join(threads[kind], NULL);
    CHECK(given[kind] == total, "%s gave %ld of %ld bytes", names[kind], given[kind], total);
  }
  return probe_ok();
}
