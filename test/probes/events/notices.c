// F_NOTIFY: a folder tells of changes by a signal, whose siginfo has the descriptor, after a restart as before; of another one that was not
// asked any more, nothing is told.
// alone: all runs see what happens in its folder, which is outside of the working folder
// other user: not allowed to write where the first user had a folder of its own
// sabotage: call close @folder
// attached: not known: that a folder tells, where it was told to before
// bits: 64, 32
#include "../probe.h"

static volatile int told, from = -1;
static void handler(int number, siginfo_t *info, void *context) {
  told += number != 0 && context != NULL;
  from = info->si_fd;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char folder[200], path[256];
  CHECK(mkdtemp(probe_outside(folder, sizeof folder, "notices-XXXXXX")) != NULL, "mkdtemp");
  snprintf(path, sizeof path, "%s/made", folder);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  CHECK(sigaction(SIGRTMIN + 3, &action, NULL) == 0, "sigaction");
  int fd = open(folder, O_RDONLY | O_DIRECTORY), ended = open("/tmp", O_RDONLY | O_DIRECTORY);
  CHECK(fcntl(ended, F_NOTIFY, (long)(DN_CREATE | DN_MULTISHOT)) == 0 && fcntl(ended, F_NOTIFY, 0L) == 0, "F_NOTIFY");
  CHECK(fcntl(fd, F_SETSIG, SIGRTMIN + 3) == 0 && fcntl(fd, F_NOTIFY, (long)(DN_CREATE | DN_MULTISHOT)) == 0, "F_NOTIFY");
  CHECK(fcntl(fd, F_NOTIFY, (long)(DN_DELETE | DN_MULTISHOT)) == 0, "F_NOTIFY");
  probe_note("folder", (uint64_t)fd);
  probe_hold();
  CHECK(told == 0, "there are %d notices of the restart", told);
  int made = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  CHECK(made >= 0 && close(made) == 0, "open");
  CHECK(told == 1 && from == fd, "told %d times, by descriptor %d", told, from);
  CHECK(unlink(path) == 0 && told == 2, "told %d times", told);
  return probe_ok();
}
