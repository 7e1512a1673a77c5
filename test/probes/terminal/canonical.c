// Canonical mode: lines that were not read, one ended by end-of-file, an end-of-file on its own, a half-typed line that can still be
// erased, and the echo that was not read. Reads give what they would have given.
// sabotage: call ioctl @master 0x5402 @cooked
#include "../probe.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>

static int master, slave;

static void expect(const char *text, const char *what) {
  char bytes[8192];
  size_t size = strlen(text), got = 0;
  struct pollfd one = {slave, POLLIN, 0};
  CHECK(poll(&one, 1, 2000) == 1, "%s: nothing to read", what);
  ssize_t count = read(slave, bytes, sizeof bytes);
  if (count > 0) got = (size_t)count;
  CHECK(count >= 0 && got == size && memcmp(bytes, text, size) == 0, "%s: read gave %zd bytes '%.*s'", what, count, (int)got, bytes);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static unsigned char cooked[64];
  struct termios modes;
  CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0 && tcgetattr(slave, &modes) == 0, "openpty");
  modes.c_cc[VEOL] = ';';
  CHECK(tcsetattr(slave, TCSANOW, &modes) == 0, "tcsetattr");
  // What flushes the input.
  CHECK(syscall(SYS_ioctl, slave, TCGETS, cooked) == 0, "TCGETS");
  cooked[12] &= (unsigned char)~ICANON;
  probe_note("master", (uint64_t)master);
  probe_note("cooked", (uint64_t)(uintptr_t)cooked);
  const char typed[] = "first line\rsecond;no newline\004\004third\rhalf typed lx";
  CHECK(write(master, typed, sizeof typed - 1) == (ssize_t)sizeof typed - 1, "write");
  // The last of it was echoed: it has arrived.
  int waiting = 0;
  for (int i = 0; i < 2000 && waiting < 48; i++) {
    CHECK(ioctl(master, FIONREAD, &waiting) == 0, "FIONREAD");
    probe_sleep_ms(1);
  }
  char again[256];
  static char wanted_echo[] = "first line\r\nsecond;no newlinethird\r\nhalf typed lx";
  CHECK(waiting == (int)sizeof wanted_echo - 1, "the echo has %d bytes", waiting);
  probe_hold();
  expect("first line\n", "the first line");
  expect("second;", "a line ended by another character");
  expect("no newline", "a line ended by end-of-file");
  expect("", "an end-of-file on its own");
  expect("third\n", "the third line");
  fcntl(slave, F_SETFL, O_NONBLOCK);
  char byte;
  CHECK(read(slave, &byte, 1) == -1 && errno == EAGAIN, "the half-typed line can be read");
  ssize_t count = read(master, again, sizeof again);
  CHECK(count == (ssize_t)sizeof wanted_echo - 1 && memcmp(again, wanted_echo, (size_t)count) == 0, "the echo is %zd bytes: '%.*s'", count, (int)count, again);
  // Erased, and gone on with.
  CHECK(write(master, "\177ine\r", 5) == 5, "write");
  expect("half typed line\n", "the last line");
  count = read(master, again, sizeof again);
  CHECK(count == 8 && memcmp(again, "\b \bine\r\n", 8) == 0, "the echo of the end is %zd bytes", count);
  return probe_ok();
}
