// Several terminals of one process, with ends that children share: a child that has a master's end alone, and one that has inherited
// /dev/tty of the session that it left.
// needs: pty
// sabotage: call close @first
#include "../probe.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int masters[8], slaves[8], ends[2];
  for (int i = 0; i < 8; i++) CHECK(openpty(&masters[i], &slaves[i], NULL, NULL, NULL) == 0 && write(slaves[i], "0123456789", 10) == 10, "openpty");
  probe_note("first", (uint64_t)slaves[0]);
  int own = open("/dev/tty", O_RDWR);
  CHECK(own >= 0 && pipe(ends) == 0, "/dev/tty");
  pid_t child = fork();
  if (child == 0) {
    setsid();
    char byte;
    close(ends[1]);
    if (read(ends[0], &byte, 1) < 0) _exit(1);  // until the parent says so, or has ended
    char bytes[16];
    if (!isatty(own) || write(masters[7], "typed\r", 6) != 6) _exit(2);
    if (read(masters[6], bytes, 10) != 10 || memcmp(bytes, "0123456789", 10) != 0) _exit(3);
    _exit(0);
  }
  close(masters[7]);
  probe_hold();
  close(ends[1]);
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child: status %x", status);
  char bytes[16];
  // The child had the master's end alone, and has ended: that is a hang-up.
  CHECK(read(slaves[7], bytes, sizeof bytes) == 0, "the last terminal is not hung up");
  for (int i = 0; i < 6; i++) CHECK(read(masters[i], bytes, sizeof bytes) == 10, "terminal %d", i);
  CHECK(write(masters[0], "x\r", 2) == 2 && read(slaves[0], bytes, sizeof bytes) == 2, "the first terminal");
  CHECK(isatty(own) && tcgetpgrp(own) == getpgrp(), "/dev/tty");
  return probe_ok();
}
