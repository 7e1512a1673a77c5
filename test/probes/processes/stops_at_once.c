// Children that stop themselves as the first thing they do, before Cairn's own thread in them has run.
// sabotage: poke @children
// attached: not possible: Cairn cannot get into a stopped process
#include "../probe.h"
#include <sys/wait.h>

enum { count = 4 };
static pid_t children[count];

int main(int argc, char **argv) {
  probe_init(argc, argv);
  for (int i = 0; i < count; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      probe_end_with_parent();
      raise(SIGSTOP);
      _exit(40 + i);
    }
    CHECK(children[i] > 0, "fork");
    int status;
    CHECK(waitpid(children[i], &status, WUNTRACED) == children[i] && WIFSTOPPED(status), "child %d does not stop", i);
  }
  probe_note("children", (uint64_t)(uintptr_t)children);
  probe_hold();
  for (int i = 0; i < count; i++) {
    int status = 0;
    pid_t told = waitpid(children[i], &status, WUNTRACED | WNOHANG);
    CHECK(told == 0, "child %d: waiting gives %d, %x", i, told, status);
    CHECK(kill(children[i], SIGCONT) == 0, "SIGCONT");
    CHECK(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) && WEXITSTATUS(status) == 40 + i, "child %d ends with %x", i, status);
  }
  return probe_ok();
}
