// Ids of another process where calls take or tell them: who holds a record lock (F_GETLK; an OFD lock has no owner), its memory
// (process_vm_readv and process_vm_writev), its group, session, priority, limits, scheduling, I/O priority and processor clock.
// sabotage: poke @cell
#include "../probe.h"
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

static uint64_t cell = 3;
static uint64_t word = 1;  // another one in the child
static int go[2], told[2];

static int run_child(void) {
  probe_end_with_parent();
  close(go[1]);
  word = 0x1234;
  setpriority(PRIO_PROCESS, 0, 7);
  syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5);
  int fd = open("locked", O_RDWR);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
  if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0) return 2;
  lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 20, .l_len = 5};
  int other = open("locked", O_RDWR);
  if (fcntl(other, F_OFD_SETLK, &lock) != 0 || write(told[1], "x", 1) != 1) return 3;
  char byte;
  return read(go[0], &byte, 1) == 1 && word == 0x5678 ? 44 : 8;
}

static void check_locks(pid_t child) {
  int fd = open("locked", O_RDWR);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 12, .l_len = 1};
  CHECK(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_start == 10 && lock.l_len == 5, "F_GETLK");
  CHECK(lock.l_pid == child, "the lock is of %d, not %d", lock.l_pid, child);
  lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 22, .l_len = 1};
  CHECK(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_pid == -1, "an OFD lock is of %d", lock.l_pid);
  lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 12, .l_len = 1};
  CHECK(fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_pid == child, "F_OFD_GETLK says %d, not %d", lock.l_pid, child);
  close(fd);
}

static void check_process(pid_t child) {
  uint64_t got = 0;
  struct iovec here = {&got, sizeof got}, there = {&word, sizeof word};
  CHECK(process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof got && got == 0x1234, "process_vm_readv");
  errno = 0;
  CHECK(getpriority(PRIO_PROCESS, (id_t)child) == 7, "getpriority");
  CHECK(syscall(SYS_ioprio_get, 1, child) == (2 << 13 | 5), "ioprio_get");
  CHECK(getpgid(child) == getpgrp() && getsid(child) == getsid(0), "group %d, session %d", getpgid(child), getsid(child));
  struct rlimit limit;
  CHECK(prlimit(child, RLIMIT_NOFILE, NULL, &limit) == 0 && limit.rlim_cur > 0, "prlimit");
  CHECK(sched_getscheduler(child) == SCHED_OTHER, "sched_getscheduler");
  cpu_set_t processors;
  CHECK(sched_getaffinity(child, sizeof processors, &processors) == 0, "sched_getaffinity");
  clockid_t clock;
  struct timespec time;
  CHECK(clock_getcpuclockid(child, &clock) == 0 && clock_gettime(clock, &time) == 0, "clock_getcpuclockid");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  CHECK(close(open("locked", O_RDWR | O_CREAT | O_TRUNC, 0666)) == 0, "locked");
  CHECK(pipe(go) == 0 && pipe(told) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) _exit(run_child());
  char byte;
  close(go[0]);
  CHECK(read(told[0], &byte, 1) == 1, "the child");
  probe_hold();
  CHECK(cell == 3, "a static value");
  check_locks(child);
  check_process(child);
  uint64_t set_to = 0x5678;
  struct iovec here = {&set_to, sizeof set_to}, there = {&word, sizeof word};
  CHECK(process_vm_writev(child, &here, 1, &there, 1, 0) == sizeof set_to, "process_vm_writev");
  int status;
  CHECK(write(go[1], "e", 1) == 1 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 44, "the child ended with %x", status);
  return probe_ok();
}
