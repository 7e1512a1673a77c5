// What lies in pseudo-terminals in raw mode, both ways, more than the line discipline's own buffer holds; and it is seen once only.
// sabotage: call ioctl @slave 0x540b 0
#include "../probe.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>

static unsigned char seed_byte(int i) { return (unsigned char)(i * 37 + i / 251); }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int master, slave;
  struct termios modes;
  CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0 && tcgetattr(slave, &modes) == 0, "openpty");
  cfmakeraw(&modes);
  CHECK(tcsetattr(slave, TCSANOW, &modes) == 0, "tcsetattr");
  probe_note("slave", (uint64_t)slave);
  fcntl(master, F_SETFL, O_NONBLOCK);
  fcntl(slave, F_SETFL, O_NONBLOCK);
  // All values, ^S and ^C among them.
  static unsigned char bytes[65536], seen[65536];
  for (int i = 0; i < (int)sizeof bytes; i++) bytes[i] = seed_byte(i);
  int input = 0, output = 0;
  for (int tries = 0; tries < 50; tries++) {
    ssize_t count;
    while (input < 6000 && (count = write(master, bytes + input, 500)) > 0) input += (int)count;
    while (output < 9000 && (count = write(slave, bytes + 7 + output, 300)) > 0) output += (int)count;
    probe_sleep_ms(1);
  }
  CHECK(input >= 6000 && output >= 9000, "only %d and %d bytes fit", input, output);
  probe_hold();
  int got = 0;
  for (int tries = 0; tries < 400 && got < input; tries++) {
    ssize_t count;
    while ((count = read(slave, seen + got, sizeof seen - (size_t)got)) > 0) got += (int)count;
    probe_sleep_ms(1);
  }
  CHECK(got == input && memcmp(seen, bytes, (size_t)got) == 0, "input: %d of %d bytes, or wrong ones", got, input);
  CHECK(read(slave, seen, 1) == -1 && errno == EAGAIN, "more input than there was");
  got = 0;
  for (int tries = 0; tries < 400 && got < output; tries++) {
    ssize_t count;
    while ((count = read(master, seen + got, sizeof seen - (size_t)got)) > 0) got += (int)count;
    probe_sleep_ms(1);
  }
  CHECK(got == output && memcmp(seen, bytes + 7, (size_t)got) == 0, "output: %d of %d bytes, or wrong ones", got, output);
  CHECK(read(master, seen, 1) == -1 && errno == EAGAIN, "more output than there was");
  CHECK((fcntl(master, F_GETFL) & O_NONBLOCK) != 0, "O_NONBLOCK");
  return probe_ok();
}
