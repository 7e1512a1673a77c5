// pidfd: of this process, of a child that runs, of one that has ended but was not waited for, of one that is gone.
// sabotage: call close @child
#include "../probe.h"
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int opened(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // where the check fails
    for (;;) pause();
  }
  pid_t ended = fork();
  if (ended == 0) _exit(5);
  pid_t gone = fork();
  if (gone == 0) _exit(6);
  int self_fd = opened(getpid()), child_fd = opened(child), ended_fd = opened(ended), gone_fd = opened(gone), status;
  CHECK(self_fd >= 0 && child_fd >= 0 && ended_fd >= 0 && gone_fd >= 0, "pidfd_open");
  CHECK(waitpid(gone, &status, 0) == gone, "waitpid");
  siginfo_t info;
  CHECK(waitid(P_PID, (id_t)ended, &info, WEXITED | WNOWAIT) == 0, "waitid");
  probe_note("child", (uint64_t)child_fd);
  probe_hold();
  struct pollfd ready[4] = {{self_fd, POLLIN, 0}, {child_fd, POLLIN, 0}, {ended_fd, POLLIN, 0}, {gone_fd, POLLIN, 0}};
  CHECK(poll(ready, 4, 0) == 2 && ready[2].revents != 0 && ready[3].revents != 0, "readiness %x %x %x %x", ready[0].revents, ready[1].revents, ready[2].revents, ready[3].revents);
  CHECK(syscall(SYS_pidfd_send_signal, self_fd, 0, NULL, 0) == 0, "this process");
  CHECK(syscall(SYS_pidfd_send_signal, gone_fd, 0, NULL, 0) == -1 && errno == ESRCH, "what is gone is there");
  CHECK(waitid((idtype_t)3 /* P_PIDFD */, (id_t)ended_fd, &info, WEXITED) == 0 && info.si_status == 5, "status %d", info.si_status);
  CHECK(info.si_pid == ended, "waitid tells of %d, not %d", info.si_pid, ended);
  CHECK(syscall(SYS_pidfd_send_signal, child_fd, SIGTERM, NULL, 0) == 0, "pidfd_send_signal");
  CHECK(poll(&ready[1], 1, 10000) == 1, "the child does not end");
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "the child ended with %x", status);
  return probe_ok();
}
