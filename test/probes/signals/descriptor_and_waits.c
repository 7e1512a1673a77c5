// Who sent a signal, as sigwaitinfo, sigtimedwait and waitid say: one that is pending over the checkpoint and one sent after it, by kill,
// sigqueue and tgkill, of a child. A signalfd beside them gives its own signals.
// sabotage: poke @cell
#include "../probe.h"
#include <sys/signalfd.h>
#include <sys/wait.h>

static uint64_t cell = 3;
static int go[2];
static int values;
static void send_all(pid_t parent, int value) {
  kill(parent, SIGUSR1);
  sigqueue(parent, SIGRTMIN + 1, (union sigval){.sival_int = value});
  syscall(SYS_tgkill, parent, parent, SIGRTMIN + 2);
  kill(parent, SIGUSR2);
}
static void check_all(int fd, pid_t child, int value, const char *when) {
  siginfo_t info;
  sigset_t set;
  struct timespec soon = {5, 0};
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == child && info.si_code == SI_USER, "%s: sigwaitinfo: %d, not %d", when, info.si_pid, child);
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  CHECK(sigtimedwait(&set, &info, &soon) == SIGRTMIN + 1 && info.si_pid == child && info.si_value.sival_int == value, "%s: sigtimedwait: %d, not %d", when, info.si_pid, child);
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 2);
  CHECK(sigtimedwait(&set, &info, &soon) == SIGRTMIN + 2 && info.si_pid == child && info.si_code == SI_USER, "%s: tgkill: %d, not %d", when, info.si_pid, child);
  struct signalfd_siginfo told;
  CHECK(read(fd, &told, sizeof told) == sizeof told && told.ssi_signo == SIGUSR2, "%s: read of the signalfd", when);
  values++;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  sigset_t set, descriptor_set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGRTMIN + 2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  sigemptyset(&descriptor_set);
  sigaddset(&descriptor_set, SIGUSR2);
  int fd = signalfd(-1, &descriptor_set, SFD_CLOEXEC);
  CHECK(pipe(go) == 0, "pipe");
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    probe_end_with_parent();
    char byte;
    send_all(parent, 5);
    if (write(go[1], "r", 1) != 1) _exit(1);
    for (;;) {
      // What it wrote itself is for the parent.
      if (read(go[0], &byte, 1) != 1) _exit(1);
      if (byte == 'g') break;
      if (write(go[1], &byte, 1) != 1) _exit(1);
      probe_sleep_ms(2);
    }
    send_all(parent, 6);
    _exit(44);
  }
  siginfo_t info;
  sigset_t pending;
  WAIT_UNTIL(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2), "no signal");
  probe_hold();
  CHECK(cell == 3, "a static value");
  check_all(fd, child, 5, "before");
  CHECK(write(go[1], "g", 1) == 1, "write");
  check_all(fd, child, 6, "after");
  CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_pid == child && info.si_status == 44, "waitid: %d, not %d", info.si_pid, child);
  return probe_ok();
}
