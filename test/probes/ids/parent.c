// Another process reads in /proc whose child the first process is: the same as that one is told itself.
// sabotage: poke @parent
#include "../probe.h"
#include <sys/wait.h>

static pid_t parent;

static int parent_of(pid_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY);
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return -1;
  text[size] = 0;
  int found = -1;
  return sscanf(strrchr(text, ')') + 1, " %*c %d", &found) == 1 ? found : -1;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid_t self = getpid();
  parent = getppid();
  probe_note("parent", (uint64_t)(uintptr_t)&parent);
  probe_hold();
  CHECK(getppid() == parent, "getppid gives %d instead of %d", getppid(), parent);
  CHECK(parent_of(self) == parent, "the process itself reads %d instead of %d", parent_of(self), parent);
  pid_t child = fork();
  if (child == 0) _exit(parent_of(self) == parent ? 0 : 1);
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "its child reads another parent of it than %d", parent);
  return probe_ok();
}
