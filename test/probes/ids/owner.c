// F_SETOWN and F_GETOWN of a descriptor, with the process's own pid, and of a thread with F_SETOWN_EX.
// needs: pty
// sabotage: call fcntl 0 8 0
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid_t pid = getpid();
  CHECK(fcntl(0, F_SETOWN, pid) == 0 && fcntl(0, F_GETOWN) == pid, "F_SETOWN");
  int file = open("file", O_RDWR | O_CREAT, 0644);
  struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()}, got;
  CHECK(fcntl(file, F_SETOWN_EX, &owner) == 0 && fcntl(file, F_SETSIG, SIGUSR1) == 0, "F_SETOWN_EX");
  probe_hold();
  CHECK(fcntl(0, F_GETOWN) == pid, "F_GETOWN is %d instead of %d", fcntl(0, F_GETOWN), pid);
  CHECK(fcntl(file, F_GETOWN_EX, &got) == 0 && got.type == F_OWNER_TID && got.pid == pid, "F_GETOWN_EX is %d", got.pid);
  CHECK(fcntl(file, F_GETSIG) == SIGUSR1, "F_GETSIG is %d", fcntl(file, F_GETSIG));
  CHECK(fcntl(0, F_SETOWN, pid) == 0 && fcntl(0, F_GETOWN) == pid, "F_SETOWN afterwards");
  return probe_ok();
}
