// Files of /proc that belong to a process which has ended, waited for or not: they stay open, and give as little as before.
// sabotage: call close @file
#include "../probe.h"
#include <sys/wait.h>

static int open_of(pid_t pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0, "open of %s", path);
  return fd;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int files[2][3];
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = fork();
    if (children[i] == 0)
      for (;;) pause();
    char task[32];
    snprintf(task, sizeof task, "task/%d/mem", children[i]);
    files[i][0] = open_of(children[i], "stat");
    files[i][1] = open_of(children[i], "mem");
    files[i][2] = open_of(children[i], task);
    kill(children[i], SIGKILL);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)children[i], &info, WEXITED | (i == 0 ? WNOWAIT : 0)) == 0, "waitid");
  }
  probe_note("file", (uint64_t)files[1][1]);
  probe_hold();
  char text[64];
  for (int i = 0; i < 2; i++)
    for (int j = 1; j < 3; j++) CHECK(fcntl(files[i][j], F_GETFD) == 0 && pread(files[i][j], text, 8, 4096) <= 0, "memory of a process that has ended");
  ssize_t size = read(files[1][0], text, sizeof text);
  int error = errno;
  CHECK(size == -1 && error == ESRCH, "stat of a process that has ended");
  CHECK(waitpid(children[0], NULL, 0) == children[0], "waitpid");
  return probe_ok();
}
