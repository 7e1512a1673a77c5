// Packet mode: data with a leading byte, and a state that was not yet read: stopped output. An exclusive terminal.
// sabotage: call ioctl @master 0x5420 @off
#include "../probe.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static int off;
  int master, slave, on = 1, value = 0;
  char bytes[64], name[64];
  CHECK(openpty(&master, &slave, name, NULL, NULL) == 0, "openpty");
  fcntl(master, F_SETFL, O_NONBLOCK);
  CHECK(write(slave, "data", 4) == 4 && ioctl(master, TIOCPKT, &on) == 0, "TIOCPKT");
  CHECK(ioctl(slave, TIOCEXCL) == 0 && tcflow(slave, TCOOFF) == 0, "TIOCEXCL, TCOOFF");
  probe_note("master", (uint64_t)master);
  probe_note("off", (uint64_t)(uintptr_t)&off);
  probe_hold();
  CHECK(ioctl(master, TIOCGPKT, &value) == 0 && value == 1, "no packet mode");
  struct pollfd one = {master, POLLIN | POLLPRI, 0};
  CHECK(poll(&one, 1, 0) == 1 && (one.revents & POLLPRI) != 0, "no state is waiting: %x", one.revents);
  ssize_t count = read(master, bytes, sizeof bytes);
  CHECK(count == 1 && bytes[0] == TIOCPKT_STOP, "the state is %zd bytes, %x", count, bytes[0]);
  count = read(master, bytes, sizeof bytes);
  CHECK(count == 5 && memcmp(bytes, "\0data", 5) == 0, "the packet is %zd bytes", count);
  CHECK(ioctl(slave, TIOCGEXCL, &value) == 0 && value == 1, "it is not exclusive");
  CHECK(geteuid() == 0 || open(name, O_RDWR | O_NOCTTY) == -1, "it can be opened");
  CHECK(tcflow(slave, TCOON) == 0 && read(master, bytes, sizeof bytes) == 1 && bytes[0] == TIOCPKT_START, "the start");
  return probe_ok();
}
