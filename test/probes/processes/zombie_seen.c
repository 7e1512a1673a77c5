// A child with one thread that /proc shows as a zombie can be waited for at once: debuggers rely on it. Before and after the checkpoint,
// by the child's number and, as debuggers do, by __WALL for any.
// sabotage: poke @children
#include "../probe.h"
#include <sys/wait.h>

static long children = 60;

static char state_of(pid_t pid) {
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0, "open %s", path);
  CHECK(read(fd, text, sizeof text - 1) > 0, "read %s", path);
  close(fd);
  char *name_end = strrchr(text, ')');
  CHECK(name_end != NULL, "no name in %s", path);
  return name_end[2];
}

static void end_one(int number, int for_any) {
  pid_t pid = fork();
  if (pid == 0) {
    struct timespec pause = {0, 100000L * (number % 8)};
    nanosleep(&pause, NULL);
    _exit(number & 127);
  }
  CHECK(pid > 0, "fork");
  int status = 0, seen = 0;
  for (;;) {
    pid_t found = for_any ? waitpid(-1, &status, WNOHANG | __WALL) : waitpid(pid, &status, WNOHANG);
    if (found == pid) break;
    CHECK(found == 0, "waitpid: %d, not %d", found, pid);
    CHECK(!seen, "child %d is a zombie, and there is nothing to wait for", number);
    seen = state_of(pid) == 'Z';
  }
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (number & 127), "status %x of child %d", status, number);
}

static void end_all(void) {
  CHECK(children == 60, "%ld children", children);
  for (int i = 0; i < children; i++) end_one(i, i & 1);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("children", (uint64_t)(uintptr_t)&children);
  end_all();
  probe_hold();
  end_all();
  return probe_ok();
}
