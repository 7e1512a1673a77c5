// Raw mode and other settings of the terminal, its size, and that it is the controlling terminal with this group in front.
// needs: pty
// sabotage: call ioctl 0 0x5402 @cooked
// bits: 64, 32
#include "../probe.h"
#include <sys/ioctl.h>
#include <termios.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct termios settings, now;
  // As the kernel takes it with TCSETS: the usual settings.
  static unsigned char cooked[64];
  CHECK(syscall(SYS_ioctl, 0, TCGETS, cooked) == 0, "TCGETS");
  probe_note("cooked", (uint64_t)(uintptr_t)cooked);
  CHECK(isatty(0) && isatty(1) && tcgetattr(0, &settings) == 0, "no terminal");
  cfmakeraw(&settings);
  settings.c_cc[VMIN] = 3;
  settings.c_cc[VTIME] = 7;
  settings.c_oflag |= OPOST | ONLCR;
  CHECK(tcsetattr(0, TCSANOW, &settings) == 0 && tcgetattr(0, &settings) == 0, "tcsetattr");
  struct winsize size;
  CHECK(ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_col == 100 && size.ws_row == 30, "size before");
  CHECK(tcgetpgrp(0) == getpgrp(), "this group is not in front, before");
  pid_t session = getsid(0);
  CHECK(tcgetsid(0) == session, "the terminal's session, before");
  probe_hold();
  CHECK(isatty(0) && isatty(1) && tcgetattr(0, &now) == 0, "the terminal is gone");
  CHECK(now.c_iflag == settings.c_iflag && now.c_oflag == settings.c_oflag && now.c_cflag == settings.c_cflag && now.c_lflag == settings.c_lflag, "modes are %x %x %x %x, were %x %x %x %x",
        now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag, settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag);
  CHECK(memcmp(now.c_cc, settings.c_cc, NCCS) == 0, "control characters");
  CHECK(ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_col == 100 && size.ws_row == 30, "size is %d x %d", size.ws_col, size.ws_row);
  CHECK(tcgetpgrp(0) == getpgrp(), "the group in front is %d, mine is %d", tcgetpgrp(0), getpgrp());
  CHECK(tcgetsid(0) == session && getsid(0) == session, "the terminal's session is %d, was %d", tcgetsid(0), session);
  CHECK(ttyname(0) != NULL, "ttyname");
  int own = open("/dev/tty", O_RDWR);
  CHECK(own >= 0 && tcgetpgrp(own) == getpgrp(), "/dev/tty");
  return probe_ok();
}
