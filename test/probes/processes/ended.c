// Children that have ended and that nobody has waited for: their status, by exit and by signal, also with WNOWAIT; ECHILD after that.
// sabotage: poke @expected
#include "../probe.h"
#include <sys/wait.h>

static volatile int expected = 9;

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  pid_t first = fork();
  if (first == 0) _exit(9);
  pid_t second = fork();
  if (second == 0) {
    kill(getpid(), SIGKILL);
    _exit(1);
  }
  siginfo_t info = {0};
  CHECK(waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT) == 0 && waitid(P_PID, (id_t)second, &info, WEXITED | WNOWAIT) == 0, "waitid");
  probe_hold();
  memset(&info, 0, sizeof info);
  CHECK(waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT) == 0, "waitid with WNOWAIT");
  CHECK(info.si_pid == first && info.si_status == expected && info.si_code == CLD_EXITED, "it says pid %d, status %d", info.si_pid, info.si_status);
  int status;
  CHECK(waitpid(second, &status, 0) == second && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the second has status %x", status);
  CHECK(wait(&status) == first && WIFEXITED(status) && WEXITSTATUS(status) == 9, "the first has status %x", status);
  CHECK(wait(&status) == -1 && errno == ECHILD, "there is another child");
  return probe_ok();
}
