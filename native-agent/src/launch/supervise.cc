#include "launch/supervise.h"

#include <sys/wait.h>
#include <unistd.h>

namespace cairn::launch {
namespace {

bool sent_by_kernel(const siginfo_t& info) { return info.si_code > 0; }

}  // namespace

Foreground Foreground::ours() {
  Foreground found;
  for (int fd = 0; fd <= 2 && found.terminal_ < 0; ++fd) {
    if (isatty(fd) && tcgetpgrp(fd) == getpgrp()) found.terminal_ = fd;
  }
  return found;
}

void Foreground::give(pid_t group) const {
  if (terminal_ >= 0) tcsetpgrp(terminal_, group);
}

int supervise(pid_t child, const Foreground& foreground, const sigset_t& handled) {
  for (;;) {
    siginfo_t info;
    int number = sigwaitinfo(&handled, &info);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      // What the terminal sends reaches the whole foreground group, the program among it, without us.
      if (!(sent_by_kernel(info) && !foreground.have())) kill(child, number);
      continue;
    }
    int status = 0;
    pid_t changed = 0;
    while ((changed = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
      if (changed != child) continue;
      if (WIFSTOPPED(status)) {
        foreground.give(getpgrp());
        kill(getpid(), SIGSTOP);
        foreground.give(child);
        kill(foreground.have() ? -child : child, SIGCONT);
      } else if (!WIFCONTINUED(status)) {
        foreground.give(getpgrp());
        return status;
      }
    }
  }
}

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace cairn::launch
