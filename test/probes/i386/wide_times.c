// A 32-bit program with 64-bit times: ids, files, processor time, locks and System V objects by the functions that such programs call.
// bits: 32 only
// flags: -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
#include "../probe.h"
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/wait.h>

static int64_t of_clock(clockid_t clock) {
  struct timespec time;
  CHECK(clock_gettime(clock, &time) == 0, "clock_gettime");
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(sizeof(time_t) == 8 && sizeof(off_t) == 8, "kinds");
  pid_t self = getpid(), child = fork();
  if (child == 0) {
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1), sigprocmask(SIG_BLOCK, &set, NULL);
    siginfo_t info;
    struct timespec wait = {3600, 0};
    while (sigtimedwait(&set, &info, &wait) != SIGUSR1) {
    }
    _exit(info.si_pid == self ? 5 : 6);
  }
  int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644), set = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
  CHECK(write(fd, "content", 7) == 7 && set >= 0 && semctl(set, 0, SETVAL, 3) == 0, "set up");
  pthread_mutexattr_t kind;
  pthread_mutex_t mutex;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex, &kind);
  struct timespec soon = {time(NULL) + 3600, 0};
  CHECK(pthread_mutex_timedlock(&mutex, &soon) == 0, "timedlock");
  while (of_clock(CLOCK_PROCESS_CPUTIME_ID) < 100000000) {
  }
  clockid_t own;
  CHECK(clock_getcpuclockid(0, &own) == 0, "clock_getcpuclockid");
  int64_t before = of_clock(CLOCK_PROCESS_CPUTIME_ID), before_own = of_clock(own);
  probe_hold();
  struct rusage usage;
  CHECK(of_clock(CLOCK_PROCESS_CPUTIME_ID) >= before && of_clock(own) >= before_own, "the processor time went back");
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >= 90000, "getrusage");
  CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_timedlock(&mutex, &soon) == 0 && pthread_mutex_unlock(&mutex) == 0, "the mutex");
  CHECK(kill(child, SIGUSR1) == 0, "kill");
  int status;
  CHECK(wait4(child, &status, 0, &usage) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5, "wait4: %x", status);
  struct stat found;
  CHECK(pwrite(fd, "changed", 7, 0) == 7 && stat("file", &found) == 0 && found.st_size == 7, "stat");
  struct timespec times[2] = {{5000000000LL, 0}, {5000000000LL, 0}};
  CHECK(utimensat(AT_FDCWD, "file", times, 0) == 0 && lstat("file", &found) == 0 && found.st_mtime == 5000000000LL, "utimensat");
  struct flock lock = {.l_type = F_WRLCK};
  CHECK(fcntl(fd, F_GETLK, &lock) == 0 && fcntl(fd, F_SETOWN, self) == 0 && fcntl(fd, F_GETOWN) == self, "fcntl");
  struct sembuf down = {0, -1, 0};
  struct timespec moment = {1, 0};
  struct semid_ds state;
  CHECK(semtimedop(set, &down, 1, &moment) == 0 && semctl(set, 0, GETVAL) == 2 && semctl(set, 0, GETPID) == self, "semaphores");
  CHECK(semctl(set, 0, IPC_STAT, &state) == 0 && state.sem_nsems == 1 && semctl(set, 0, IPC_RMID) == 0, "semctl");
  return probe_ok();
}
