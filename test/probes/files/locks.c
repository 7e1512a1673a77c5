// Record locks and flock locks that the process holds are held after a restart.
// sabotage: call flock @whole 8
#include "../probe.h"
#include <sys/file.h>
#include <sys/wait.h>

// Asked from a child: is the range of `name` locked?
static int locked(const char *name, int kind) {
  pid_t child = fork();
  if (child == 0) {
    int fd = open(name, O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    if (kind == 0) _exit(fcntl(fd, F_SETLK, &lock) == -1);
    _exit(flock(fd, LOCK_EX | LOCK_NB) == -1);
  }
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status), "fork");
  return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int record = open("record", O_RDWR | O_CREAT, 0644), whole = open("whole", O_RDWR | O_CREAT, 0644);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 8, .l_len = 100};
  CHECK(fcntl(record, F_SETLK, &lock) == 0 && flock(whole, LOCK_EX) == 0, "lock");
  CHECK(locked("record", 0) && locked("whole", 1), "the locks do not work here");
  probe_note("whole", (uint64_t)whole);
  probe_hold();
  CHECK(locked("record", 0), "the record lock was lost");
  CHECK(locked("whole", 1), "the flock lock was lost");
  lock.l_type = F_UNLCK;
  CHECK(fcntl(record, F_SETLK, &lock) == 0 && !locked("record", 0), "unlock");
  return probe_ok();
}
