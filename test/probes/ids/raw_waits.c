// Waits by syscall(2) that are under way: for any child, for a group, and for a signal. Each ends with the id that the program knows.
// sabotage: poke @status
// bits: 64, 32
// attached: not the signal, whose sender the kernel tells a call that was made before Cairn came
#include "../probe.h"
#include <sys/wait.h>

static int go[2];

static pid_t start_child(void) {
  pid_t child = fork();
  if (child != 0) return child;
  probe_end_with_parent();
  char byte;
  _exit(read(go[0], &byte, 1) == 1 ? 7 : 8);
}

static void any_child(void) {
  pid_t child = start_child();
  int status = 0;
  long ended = syscall(SYS_wait4, -1, &status, 0, NULL);
  CHECK(ended == child && WEXITSTATUS(status) == 7, "wait4 of any child gives %ld, not %d", ended, child);
}

static void group_by_number(void) {
  pid_t child = start_child();
  CHECK(setpgid(child, child) == 0, "setpgid");
  int status = 0;
  long ended = syscall(SYS_wait4, -child, &status, 0, NULL);
  CHECK(ended == child && WEXITSTATUS(status) == 7, "wait4 of a group gives %ld, not %d", ended, child);
}

static void group(void) {
  pid_t child = start_child();
  CHECK(setpgid(child, child) == 0, "setpgid");
  siginfo_t info;
  memset(&info, 0, sizeof info);
  long result = syscall(SYS_waitid, P_PGID, child, &info, WEXITED, NULL);
  CHECK(result == 0 && info.si_pid == child && info.si_status == 7, "waitid of a group gives %ld, %d, not %d", result, info.si_pid, child);
}

static void a_signal(void) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  uint64_t set = 1ull << (SIGUSR1 - 1);
  long number = syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8);
  CHECK(number == SIGUSR1 && info.si_pid == getppid(), "the signal %ld is from %d, not %d", number, info.si_pid, getppid());
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static int status;
  probe_note("status", (uint64_t)(uintptr_t)&status);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  CHECK(pipe(go) == 0, "pipe");
  void (*const waits[])(void) = {any_child, group_by_number, group, a_signal};
  pid_t waiting[4];
  for (int i = 0; i < 4; i++) {
    waiting[i] = fork();
    if (waiting[i] != 0) continue;
    probe_end_with_parent();
    waits[i]();
    _exit(0);
  }
  probe_sleep_ms(300);
  probe_hold();
  CHECK(status == 0, "status");
  CHECK(write(go[1], "xxx", 3) == 3, "write");
  CHECK(kill(waiting[3], SIGUSR1) == 0, "kill");
  for (int i = 0; i < 4; i++) CHECK(waitpid(waiting[i], &status, 0) == waiting[i] && status == 0, "wait %d ends with %x", i, status);
  return probe_ok();
}
