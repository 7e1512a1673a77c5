// The program's own descriptors of the terminal: /dev/tty, the terminal by its name, duplicates of standard output.
// needs: pty
// sabotage: call close @named
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(isatty(0) && ttyname(0), "no terminal");
  char name[128];
  snprintf(name, sizeof name, "%s", ttyname(0));
  int own = open("/dev/tty", O_RDWR), named = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC), copy = dup(1);
  CHECK(own >= 0 && named >= 0 && copy >= 0, "open");
  probe_note("named", (uint64_t)named);
  probe_hold();
  CHECK(isatty(own) && isatty(named) && isatty(copy), "a descriptor is no terminal now");
  CHECK(write(own, "note by-dev-tty 1\n", 18) == 18, "write to /dev/tty");
  CHECK(write(named, "note by-name 1\n", 15) == 15, "write by name");
  CHECK(write(copy, "note by-copy 1\n", 15) == 15, "write to the duplicate");
  struct stat first, second;
  CHECK(fstat(0, &first) == 0 && fstat(named, &second) == 0 && first.st_rdev == second.st_rdev, "they are different terminals");
  CHECK(fcntl(named, F_GETFD) == FD_CLOEXEC && (fcntl(named, F_GETFL) & O_ACCMODE) == O_WRONLY, "flags");
  return probe_ok();
}
