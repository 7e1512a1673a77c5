// A child that has its parent's memory, and a copy of its descriptors (vfork), may have whatever it likes under any number: it can duplicate
// it from there and close it.
// sabotage: call close 250
#include "../probe.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { OPEN = 250, OTHER, FIRST = 300, LAST = 1100, LIMIT = 1200 };

static int failed_at(void) {
  for (int number = FIRST; number < LAST; number++) {
    if (dup2(OPEN, number) != number || dup2(number, OTHER) != OTHER || dup3(number, OTHER, O_CLOEXEC) != OTHER) return 1;
    if (close(number) != 0 || fcntl(number, F_GETFD) != -1) return 2;
    if (dup2(OPEN, number) != number || close_range((unsigned)number, (unsigned)number, 0) != 0 || fcntl(number, F_GETFD) != -1) return 3;
  }
  return 0;
}

static int in_child(void) {
  pid_t child = vfork();
  if (child == 0) _exit(failed_at());
  int status = -1;
  return child < 0 || waitpid(child, &status, 0) != child ? -1 : status;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < LIMIT) SKIP("no more than %ld open files", (long)limit.rlim_max);
  limit.rlim_cur = LIMIT;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  int fd = open("content", O_RDWR | O_CREAT, 0600);
  CHECK(fd >= 0 && dup2(fd, OPEN) == OPEN, "open");
  for (int round = 0; round < 2; round++) {
    int status = in_child();
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "in the child: %x", (unsigned)status);
    if (round == 0) probe_hold();
  }
  return probe_ok();
}
