// Both ends of a pseudo-terminal: open file descriptions, names by number, modes, size, lock, permissions, a second slave's end for
// writing only, TIOCGPTPEER; bytes go both ways afterwards.
// flags: -lutil
// sabotage: call close @slave
#include "../probe.h"
#include <pty.h>
#include <sys/ioctl.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "posix_openpt");
  char name[64];
  CHECK(ptsname_r(master, name, sizeof name) == 0, "ptsname_r");
  int slave = open(name, O_RDWR | O_NOCTTY), writer = open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  CHECK(slave >= 0 && writer >= 0, "open of %s", name);
  probe_note("slave", (uint64_t)slave);
  CHECK(fchmod(slave, 0600) == 0, "fchmod");
  struct termios modes, now;
  CHECK(tcgetattr(slave, &modes) == 0, "tcgetattr");
  cfmakeraw(&modes);
  modes.c_cc[VMIN] = 5;
  modes.c_cc[VTIME] = 3;
  cfsetspeed(&modes, B57600);
  modes.c_oflag |= OPOST | ONLCR;
  CHECK(tcsetattr(slave, TCSANOW, &modes) == 0 && tcgetattr(slave, &modes) == 0, "tcsetattr");
  struct winsize size = {33, 77, 5, 6}, seen;
  CHECK(ioctl(master, TIOCSWINSZ, &size) == 0, "TIOCSWINSZ");
  int lock = 1, locked = 0;
  CHECK(ioctl(master, TIOCSPTLCK, &lock) == 0, "TIOCSPTLCK");
  probe_hold();
  CHECK(isatty(master) && isatty(slave) && isatty(writer), "a descriptor is no terminal");
  CHECK(tcgetattr(slave, &now) == 0 && now.c_iflag == modes.c_iflag && now.c_oflag == modes.c_oflag && now.c_cflag == modes.c_cflag && now.c_lflag == modes.c_lflag, "modes");
  CHECK(memcmp(now.c_cc, modes.c_cc, NCCS) == 0 && cfgetospeed(&now) == B57600, "control characters, speed");
  CHECK(ioctl(slave, TIOCGWINSZ, &seen) == 0 && memcmp(&seen, &size, sizeof size) == 0, "size %d x %d", seen.ws_col, seen.ws_row);
  CHECK(ioctl(master, TIOCGPTLCK, &locked) == 0 && locked == 1, "it is not locked");
  lock = 0;
  CHECK(ioctl(master, TIOCSPTLCK, &lock) == 0, "TIOCSPTLCK");
  struct stat status, by_name;
  CHECK(fstat(slave, &status) == 0 && (status.st_mode & 0777) == 0600, "permissions %o", status.st_mode & 0777);
  CHECK(stat(name, &by_name) == 0 && by_name.st_rdev == status.st_rdev && by_name.st_ino == status.st_ino, "the name leads elsewhere");
  CHECK((fcntl(writer, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_WRONLY | O_NONBLOCK) && fcntl(writer, F_GETFD) == FD_CLOEXEC, "flags of the second");
  char bytes[64];
  CHECK(write(master, "hello", 5) == 5 && read(slave, bytes, sizeof bytes) == 5 && memcmp(bytes, "hello", 5) == 0, "from the master's end");
  CHECK(write(slave, "a\n", 2) == 2 && read(master, bytes, sizeof bytes) == 3 && memcmp(bytes, "a\r\n", 3) == 0, "from the slave's end");
  CHECK(write(writer, "b", 1) == 1 && read(master, bytes, sizeof bytes) == 1, "from the second");
  int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  CHECK(peer >= 0 && fstat(peer, &by_name) == 0 && by_name.st_rdev == status.st_rdev, "TIOCGPTPEER");
  return probe_ok();
}
