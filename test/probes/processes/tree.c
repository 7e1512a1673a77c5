// A tree of three generations: parents, waiting with the right status, shared memory without a name, and offsets that are shared.
// sabotage: poke @cell
// bits: 64, 32
#include "../probe.h"
#include <sys/wait.h>

static pid_t root;

struct shared {
  volatile int go;
  volatile int count[3];
  volatile pid_t pid[3], parent[3];
};

static uint64_t cell = 77;

static void work(struct shared *shared, int place, int fd) {
  shared->pid[place] = getpid();
  while (!shared->go) {
    shared->parent[place] = getppid();
    shared->count[place]++;
    probe_sleep_ms(3);
    if (kill(root, 0) == -1) _exit(50);  // the probe has failed
  }
  char line[16];
  int length = snprintf(line, sizeof line, "%d\n", place);
  if (write(fd, line, (size_t)length) != length) _exit(40);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  root = getpid();
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  struct shared *shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int fd = open("lines", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(write(fd, "begin\n", 6) == 6, "write");
  pid_t child = fork();
  if (child == 0) {
    pid_t grandchild = fork();
    if (grandchild == 0) {
      work(shared, 2, fd);
      _exit(22);
    }
    work(shared, 1, fd);
    int status;
    if (waitpid(grandchild, &status, 0) != grandchild || !WIFEXITED(status) || WEXITSTATUS(status) != 22) _exit(41);
    _exit(getpid() == shared->pid[1] ? 11 : 42);
  }
  WAIT_UNTIL(shared->count[1] && shared->count[2], "the children did not start");
  pid_t pids[3] = {getpid(), shared->pid[1], shared->pid[2]};
  probe_hold();
  CHECK(cell == 77, "a static value");
  int before[3] = {0, shared->count[1], shared->count[2]};
  WAIT_UNTIL(shared->count[1] > before[1] + 2 && shared->count[2] > before[2] + 2, "a child does not run, or shares no memory");
  CHECK(shared->parent[1] == pids[0] && shared->parent[2] == pids[1], "parents are %d and %d", shared->parent[1], shared->parent[2]);
  CHECK(kill(pids[1], 0) == 0 && kill(pids[2], 0) == 0, "kill with signal 0");
  CHECK(getpgid(pids[2]) == getpgrp() && getsid(pids[1]) == getsid(0), "groups and sessions");
  shared->go = 1;
  int status;
  CHECK(waitpid(child, &status, 0) == child, "waitpid");
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 11, "the child ended with status %x", status);
  CHECK(lseek(fd, 0, SEEK_CUR) == 10, "the shared offset is %ld", (long)lseek(fd, 0, SEEK_CUR));
  char text[32] = "";
  CHECK(pread(fd, text, sizeof text - 1, 0) == 10 && strncmp(text, "begin\n", 6) == 0, "the file holds '%s'", text);
  return probe_ok();
}
