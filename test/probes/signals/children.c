// Signals that name a child which has ended: SIGCHLD that is pending at the checkpoint, and a signal that is taken from the queue when its
// sender has been waited for already. Both by sigtimedwait and by a signalfd.
// sabotage: poke @child
#include "../probe.h"
#include <sys/signalfd.h>
#include <sys/wait.h>

static pid_t child, late[2];
static volatile int *go;

static void take(int wanted, pid_t sender, int number, int fd) {
  siginfo_t info;
  sigset_t set;
  struct timespec time = {20, 0};
  sigemptyset(&set);
  sigaddset(&set, wanted);
  if (fd < 0) {
    CHECK(sigtimedwait(&set, &info, &time) == wanted, "signal %d does not come", wanted);
  } else {
    struct signalfd_siginfo record;
    CHECK(read(fd, &record, sizeof record) == sizeof record && (int)record.ssi_signo == wanted, "signal %d does not come", wanted);
    info.si_pid = (pid_t)record.ssi_pid;
  }
  CHECK(info.si_pid == sender, "signal %d of %d names %d instead of %d", wanted, number, info.si_pid, sender);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  go = (volatile int *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  sigset_t set, first;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGUSR1);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
  sigemptyset(&first);
  sigaddset(&first, SIGUSR1);
  int fd = signalfd(-1, &first, 0);
  for (int i = 0; i < 2; i++) {
    if ((late[i] = fork()) != 0) continue;
    probe_end_with_parent();
    while (go[0] <= i) probe_sleep_ms(3);
    kill(getppid(), SIGUSR1);
    _exit(i);
  }
  if ((child = fork()) == 0) _exit(3);
  int status;
  siginfo_t info = {};
  CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0, "waitid");
  probe_note("child", (uint64_t)(uintptr_t)&child);
  probe_hold();
  take(SIGCHLD, child, 0, -1);
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3, "waitpid");
  for (int i = 0; i < 2; i++) {
    go[0] = i + 1;
    CHECK(waitpid(late[i], &status, 0) == late[i] && WEXITSTATUS(status) == i, "waitpid");
    take(SIGUSR1, late[i], i + 1, i == 0 ? -1 : fd);
    take(SIGCHLD, late[i], i + 1, -1);
  }
  return probe_ok();
}
