// Output that is held back: by ^S, which ^Q ends, and by tcflow(3), which only tcflow ends. What was written before and not read is
// there; what is written meanwhile waits.
// sabotage: call ioctl @second 0x540a 1
#include "../probe.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>

static int writable(int slave) {
  struct pollfd one = {slave, POLLOUT, 0};
  return poll(&one, 1, 0) == 1 && (one.revents & POLLOUT) != 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int masters[2], slaves[2];
  char bytes[64];
  for (int i = 0; i < 2; i++) {
    CHECK(openpty(&masters[i], &slaves[i], NULL, NULL, NULL) == 0, "openpty");
    fcntl(slaves[i], F_SETFL, O_NONBLOCK);
    fcntl(masters[i], F_SETFL, O_NONBLOCK);
    CHECK(write(slaves[i], "before", 6) == 6, "write");
  }
  CHECK(write(masters[0], "\023", 1) == 1 && tcflow(slaves[1], TCOOFF) == 0, "stop");
  probe_note("second", (uint64_t)slaves[1]);
  for (int i = 0; i < 2; i++) WAIT_UNTIL(!writable(slaves[i]), "terminal %d is not stopped", i);
  probe_hold();
  for (int i = 0; i < 2; i++) {
    CHECK(!writable(slaves[i]) && write(slaves[i], "x", 1) == -1 && errno == EAGAIN, "terminal %d is not stopped any more", i);
    CHECK(read(masters[i], bytes, sizeof bytes) == 6 && memcmp(bytes, "before", 6) == 0, "what was written before, %d", i);
    CHECK(write(masters[i], "\021", 1) == 1, "write");
  }
  WAIT_UNTIL(writable(slaves[0]), "^Q does not end it");
  probe_sleep_ms(20);
  CHECK(!writable(slaves[1]), "^Q ends a stop by tcflow");
  CHECK(tcflow(slaves[1], TCOON) == 0 && writable(slaves[1]), "tcflow");
  for (int i = 0; i < 2; i++) CHECK(write(slaves[i], "after", 5) == 5 && read(masters[i], bytes, sizeof bytes) == 5, "afterwards, %d", i);
  return probe_ok();
}
