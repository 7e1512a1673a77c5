// A process that adopts its descendants' orphans: one is its child before the checkpoint, another becomes it after a restart.
// sabotage: call prctl 36 0
#include "../probe.h"
#include <sys/prctl.h>
#include <sys/wait.h>

struct shared {
  volatile int end_middle, end_late, end_early, ready;
  volatile pid_t early, late, middle;
};
static struct shared *shared;

static pid_t root;
static void live_until(volatile int *end, int status) {
  while (!*end && kill(root, 0) == 0) probe_sleep_ms(3);
  _exit(status);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  root = getpid();
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "PR_SET_CHILD_SUBREAPER");
  pid_t child = fork();
  if (child == 0) {
    pid_t early = fork();
    if (early == 0) live_until(&shared->end_early, 11);
    shared->early = early;
    _exit(0);
  }
  CHECK(waitpid(child, NULL, 0) == child, "waitpid");
  if ((child = fork()) == 0) {
    shared->middle = getpid();
    pid_t late = fork();
    if (late == 0) live_until(&shared->end_late, 12);
    shared->late = late;
    live_until(&shared->end_middle, 13);
  }
  WAIT_UNTIL(shared->late != 0 && shared->early != 0, "the tree does not grow");
  probe_hold();
  int status = 0;
  CHECK(waitpid(shared->early, &status, WNOHANG) == 0, "the adopted one is no child, or has ended");
  shared->end_early = 1;
  CHECK(waitpid(shared->early, &status, 0) == shared->early && WEXITSTATUS(status) == 11, "status of the adopted one");
  shared->end_middle = 1;
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 13, "status of the child");
  CHECK(waitpid(shared->late, &status, WNOHANG) == 0, "the new orphan came to somebody else");
  shared->end_late = 1;
  CHECK(waitpid(-1, &status, 0) == shared->late && WEXITSTATUS(status) == 12, "status of the new orphan");
  CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD, "another child");
  return probe_ok();
}
