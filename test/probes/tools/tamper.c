// Makes a running probe look as a faulty restart would have left it: one system call made in its place, one byte of memory
// or of a register changed, a signal sent to one of its threads. Used by sabotage.test.ts alone. By ptrace(2); x86-64.
//
//   tamper PID call NAME ARGUMENTS…          in the first thread
//   tamper PID thread-call N NAME ARGUMENTS… in thread N (0 is the first, in order of creation)
//   tamper PID poke ADDRESS                  flips all bits of a byte
//   tamper PID register N NAME               flips a bit of a general register of thread N
//   tamper PID xstate N OFFSET               flips a byte of the extended state of thread N
//   tamper PID signal-thread N SIGNAL        sends a signal to thread N, five times in 200 ms: it may be between two calls
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "tamper: %s: %s\n", what, strerror(errno));
  exit(errno == EPERM ? 3 : 2);
}

static const struct {
  const char *name;
  long number;
} calls[] = {
    {"arch_prctl", SYS_arch_prctl}, {"brk", SYS_brk}, {"close", SYS_close}, {"dup2", SYS_dup2}, {"fcntl", SYS_fcntl},
    {"flock", SYS_flock}, {"ftruncate", SYS_ftruncate}, {"ioctl", SYS_ioctl}, {"lseek", SYS_lseek}, {"mprotect", SYS_mprotect},
    {"munlock", SYS_munlock}, {"munlockall", SYS_munlockall}, {"munmap", SYS_munmap}, {"prctl", SYS_prctl}, {"rseq", SYS_rseq}, {"rt_sigaction", SYS_rt_sigaction},
    {"rt_sigprocmask", SYS_rt_sigprocmask}, {"rt_sigtimedwait", SYS_rt_sigtimedwait}, {"sched_setaffinity", SYS_sched_setaffinity},
    {"setitimer", SYS_setitimer}, {"setrlimit", SYS_setrlimit}, {"setsid", SYS_setsid}, {"sigaltstack", SYS_sigaltstack},
    {"timer_delete", SYS_timer_delete}, {"umask", SYS_umask},
};

// Numbers are given out in turn, and begin again at the bottom: those below the process's own are younger.
static pid_t first_tid;
static long age(pid_t tid) { return tid >= first_tid ? tid : tid + (1L << 32); }
static int by_age(const void *a, const void *b) {
  long difference = age(*(const pid_t *)a) - age(*(const pid_t *)b);
  return (difference > 0) - (difference < 0);
}
static pid_t thread(pid_t pid, int index) {
  first_tid = pid;
  char path[64];
  pid_t tids[1024];
  int count = 0;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (!tasks) fail(path);
  struct dirent *entry;
  while (count < 1024 && (entry = readdir(tasks)))
    if (atoi(entry->d_name) > 0) tids[count++] = atoi(entry->d_name);
  closedir(tasks);
  qsort(tids, (size_t)count, sizeof tids[0], by_age);
  if (index < 0) index += count;
  if (index >= count) {
    fprintf(stderr, "tamper: process %d has %d threads\n", pid, count);
    exit(2);
  }
  return tids[index];
}

static void stop(pid_t tid) {
  if (ptrace(PTRACE_SEIZE, tid, 0, 0) == -1) fail("PTRACE_SEIZE");
  if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) == -1) fail("PTRACE_INTERRUPT");
  int status;
  if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status)) fail("waitpid");
}

// Address of a system call instruction that other threads will not run into: one of the vdso's.
static unsigned long long instruction(pid_t tid) {
  char path[64], line[512];
  unsigned long start = 0, end = 0;
  snprintf(path, sizeof path, "/proc/%d/maps", tid);
  FILE *maps = fopen(path, "r");
  while (maps && fgets(line, sizeof line, maps))
    if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &start, &end) == 2) break;
  if (maps) fclose(maps);
  for (unsigned long at = start; at + 8 <= end; at += 2) {
    long word = ptrace(PTRACE_PEEKTEXT, tid, at, 0);
    for (int i = 0; i < 7; i++)
      if ((((unsigned long)word >> (8 * i)) & 0xffff) == 0x050f) return at + (unsigned)i;
  }
  fprintf(stderr, "tamper: no system call instruction in the vdso\n");
  exit(2);
}

// Makes the thread step over one system call instruction, and puts its registers back. What the call returned does not
// matter: a call that fails leaves the probe sound, and the test that expects it to fail says so.
static void make_call(pid_t tid, long number, char **arguments, int count) {
  struct user_regs_struct saved, registers;
  stop(tid);
  if (ptrace(PTRACE_GETREGS, tid, 0, &saved) == -1) fail("PTRACE_GETREGS");
  registers = saved;
  registers.rip = instruction(tid);
  unsigned long long values[6] = {0};
  for (int i = 0; i < count && i < 6; i++) values[i] = strtoull(arguments[i], NULL, 0);
  registers.rax = (unsigned long long)number;
  registers.orig_rax = ~0ull;  // not in a call that could be restarted
  registers.rdi = values[0], registers.rsi = values[1], registers.rdx = values[2];
  registers.r10 = values[3], registers.r8 = values[4], registers.r9 = values[5];
  if (ptrace(PTRACE_SETREGS, tid, 0, &registers) == -1) fail("PTRACE_SETREGS");
  int status;
  if (ptrace(PTRACE_SINGLESTEP, tid, 0, 0) == -1 || waitpid(tid, &status, __WALL) != tid) fail("PTRACE_SINGLESTEP");
  // The call itself may have ended the probe, by another of its threads that noticed.
  if (!WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, tid, 0, &registers) == -1) return;
  if ((long)registers.rax < 0 && (long)registers.rax > -4096) fprintf(stderr, "tamper: the call gave %s\n", strerror((int)-(long)registers.rax));
  if (ptrace(PTRACE_SETREGS, tid, 0, &saved) == -1 && errno != ESRCH) fail("PTRACE_SETREGS");
  ptrace(PTRACE_DETACH, tid, 0, 0);
}

static void flip_register(pid_t tid, const char *name) {
  struct user_regs_struct registers;
  stop(tid);
  if (ptrace(PTRACE_GETREGS, tid, 0, &registers) == -1) fail("PTRACE_GETREGS");
  if (strcmp(name, "r12") == 0) registers.r12 ^= 0x100;
  else if (strcmp(name, "gs_base") == 0) registers.gs_base ^= 0x8;
  else exit(2);
  if (ptrace(PTRACE_SETREGS, tid, 0, &registers) == -1) fail("PTRACE_SETREGS");
  ptrace(PTRACE_DETACH, tid, 0, 0);
}

static void flip_extended(pid_t tid, size_t offset) {
  static unsigned char area[65536];
  struct iovec vector = {area, sizeof area};
  stop(tid);
  if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &vector) == -1) fail("PTRACE_GETREGSET");
  if (offset >= vector.iov_len) exit(2);
  area[offset] ^= 0xff;
  if (ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &vector) == -1) fail("PTRACE_SETREGSET");
  ptrace(PTRACE_DETACH, tid, 0, 0);
}

static void poke(pid_t pid, off_t address) {
  char path[64];
  unsigned char byte;
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  int fd = open(path, O_RDWR);
  if (fd < 0 || pread(fd, &byte, 1, address) != 1) fail(path);
  byte ^= 0xff;
  if (pwrite(fd, &byte, 1, address) != 1) fail(path);
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  pid_t pid = atoi(argv[1]);
  const char *action = argv[2];
  if (strcmp(action, "poke") == 0) {
    // Through the youngest thread: the first may have ended.
    poke(thread(pid, -1), (off_t)strtoull(argv[3], NULL, 0));
    return 0;
  }
  int threaded = strcmp(action, "thread-call") == 0;
  if (threaded || strcmp(action, "call") == 0) {
    const char *name = argv[3 + threaded];
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
      if (strcmp(calls[i].name, name)) continue;
      make_call(threaded ? thread(pid, atoi(argv[3])) : pid, calls[i].number, argv + 4 + threaded, argc - 4 - threaded);
      return 0;
    }
    fprintf(stderr, "tamper: no call named %s\n", name);
    return 2;
  }
  if (argc < 5) return 2;
  pid_t tid = thread(pid, atoi(argv[3]));
  if (strcmp(action, "register") == 0) flip_register(tid, argv[4]);
  else if (strcmp(action, "xstate") == 0) flip_extended(tid, strtoul(argv[4], NULL, 0));
  else if (strcmp(action, "signal-thread") == 0) {
    for (int i = 0; i < 5; i++) {
      if (syscall(SYS_tgkill, pid, tid, atoi(argv[4])) == -1 && i == 0) fail("tgkill");
      usleep(40000);
    }
  } else return 2;
  return 0;
}
