// Ends that are alone: a slave's end whose master's end was closed, a master's end whose slave's end was open once, and one whose
// slave's end was never open.
// sabotage: call close @never
#include "../probe.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>

static int events(int fd) {
  struct pollfd one = {fd, POLLIN, 0};
  return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int master, hung_up, left, slave, never;
  char bytes[64];
  CHECK(openpty(&master, &hung_up, NULL, NULL, NULL) == 0 && close(master) == 0, "openpty");
  CHECK(openpty(&left, &slave, NULL, NULL, NULL) == 0, "openpty");
  CHECK(write(slave, "last words", 10) == 10 && close(slave) == 0, "write");
  never = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  CHECK(never >= 0, "posix_openpt");
  probe_note("never", (uint64_t)never);
  probe_hold();
  CHECK(read(hung_up, bytes, 1) == 0, "a slave's end without a master's can be read");
  CHECK(write(hung_up, "x", 1) == -1 && errno == EIO, "it can be written to");
  CHECK((events(hung_up) & POLLHUP) != 0, "it is not hung up: %x", events(hung_up));
  CHECK(read(left, bytes, sizeof bytes) == 10 && memcmp(bytes, "last words", 10) == 0, "what was written last");
  CHECK((events(left) & POLLHUP) != 0, "nobody has left: %x", events(left));
  CHECK(read(left, bytes, 1) == -1 && errno == EIO, "a master's end that was left can be read");
  CHECK(events(never) == 0 && read(never, bytes, 1) == -1 && errno == EAGAIN, "one that was never used: %x", events(never));
  int lock = 0;
  CHECK(ioctl(never, TIOCGPTLCK, &lock) == 0 && lock == 1 && unlockpt(never) == 0, "its lock");
  slave = open(ptsname(never), O_RDWR | O_NOCTTY);
  CHECK(slave >= 0 && write(slave, "y", 1) == 1 && read(never, bytes, 1) == 1, "its use");
  CHECK(close(slave) == 0, "close");
  CHECK((events(never) & POLLHUP) != 0, "it was left now");
  return probe_ok();
}
