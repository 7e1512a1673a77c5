// taken UID GID IDS COMMAND…: runs a command as another user in a process namespace of its own in which each of the ids (decimal, with commas)
// is that of a process that has nothing to do with the command. Signals are passed on; the status is the command's. 77: not permitted here.
// Everything in the namespace ends with this program. Used by other-user.ts.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void give_up(const char *what) {
  fprintf(stderr, "skip: %s: %s\n", what, strerror(errno));
  exit(77);
}

// A process that does nothing but have this id.
static void occupy(pid_t id) {
  struct clone_args arguments = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&id, .set_tid_size = 1};
  long made = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (made < 0 && errno != EEXIST) give_up("a process with a given id (clone3, set_tid)");
  if (made != 0) return;
  close_range(0, ~0U, 0);
  for (;;) pause();
}

// Until that child ends; signals from processes (not those of a terminal) go to it. All signals are blocked.
static int accompany(pid_t child) {
  sigset_t all;
  sigfillset(&all);
  for (;;) {
    siginfo_t info;
    int number = sigwaitinfo(&all, &info), status;
    if (number < 0) continue;
    if (number != SIGCHLD) {
      if (info.si_code <= 0) kill(child, number);
      continue;
    }
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
      if (ended == child) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

static void run_command(uid_t user, gid_t group, char **command, const sigset_t *mask) {
  // A session within the namespace, that has the terminal: what is outside of it has no ids here.
  setsid();
  if (isatty(0) && (ioctl(0, TIOCSCTTY, 1) < 0 || fchown(0, user, group) < 0)) give_up("the terminal");
  if (setgroups(0, NULL) < 0 || setresgid(group, group, group) < 0 || setresuid(user, user, user) < 0) give_up("another user");
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(command[0], command);
  give_up(command[0]);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) give_up("a process namespace");
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) give_up("a mount namespace");
  pid_t first = fork();
  if (first < 0) give_up("fork");
  if (first > 0) return accompany(first);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) give_up("/proc of a process namespace");
  for (char *word = strtok(argv[3], ","); word; word = strtok(NULL, ",")) occupy((pid_t)atoi(word));
  pid_t command = fork();
  if (command < 0) give_up("fork");
  if (command == 0) run_command((uid_t)atoi(argv[1]), (gid_t)atoi(argv[2]), argv + 4, &before);
  return accompany(command);
}
