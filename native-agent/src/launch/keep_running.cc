#include "launch/keep_running.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cairn::launch {
namespace {

constexpr int look_ms = 5;
constexpr int event_stop = 128;  // PTRACE_EVENT_STOP

/// Lets it go on from where it is; false: it has ended.
bool go_on(pid_t tid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) return false;
  bool by_event = status >> 16 == event_stop;
  long signal = by_event ? 0 : WSTOPSIG(status);
  return ptrace(PTRACE_CONT, tid, nullptr, reinterpret_cast<void*>(signal)) == 0 || errno != ESRCH;
}

}  // namespace

int keep_running(const char* text) {
  auto tid = static_cast<pid_t>(atoi(text));
  if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) {
    fprintf(stderr, "cairn: cannot let the agent of a stopped process run (thread %d): %s\n", tid, strerror(errno));
    return 1;
  }
  // The end of this process is a detach, after which the kernel stops the thread again where the process is stopped.
  for (;;) {
    int status = 0;
    pid_t seen;
    while ((seen = waitpid(tid, &status, __WALL | WNOHANG)) == tid) {
      if (!go_on(tid, status)) return 0;
    }
    if (seen < 0 && errno == ECHILD) return 0;
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    char byte;
    if (poll(&input, 1, look_ms) == 1 && read(STDIN_FILENO, &byte, 1) <= 0) return 0;
  }
}

}  // namespace cairn::launch
