// Programs executed after a restart are of the computation: with an empty environment, by the shell, by a path; they see the
// files of this run and the same ids.
// sabotage: poke @pid
// bits: 64, 32
#include "../probe.h"
#include <spawn.h>
#include <sys/wait.h>

static pid_t pid;

static int status_of(pid_t child) {
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status), "waitpid");
  return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid = getpid();
  probe_note("pid", (uint64_t)(uintptr_t)&pid);
  int fd = open("output", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(write(fd, "first", 5) == 5, "write");
  unlink("removed"), unlink("made"), unlink("script");
  int other = open("removed", O_RDWR | O_CREAT, 0644);
  close(other);
  probe_hold();
  CHECK(pwrite(fd, "other", 5, 0) == 5, "write");
  other = open("removed", O_RDWR | O_CREAT, 0644);
  close(other);
  // By the shell, and what it starts.
  char command[256];
  snprintf(command, sizeof command, "test \"$(cat output)\" = other && test $PPID = %d && echo text > made && rm removed", pid);
  int status = system(command);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "system() gave %x", status);
  CHECK(access("removed", F_OK) == -1, "what a child removed is still there");
  other = open("made", O_RDONLY);
  char text[8] = "";
  CHECK(other >= 0 && read(other, text, 5) == 5 && strcmp(text, "text\n") == 0, "what a child made holds '%s'", text);
  // Without any environment.
  pid_t child = fork();
  if (child == 0) {
    char *words[] = {"sh", "-c", "test \"$(cat made)\" = text", NULL}, *none[] = {NULL};
    execve("/bin/sh", words, none);
    _exit(99);
  }
  CHECK(status_of(child) == 0, "execve with an empty environment");
  char *words[] = {"sh", "-c", "test ! -e removed", NULL};
  CHECK(posix_spawnp(&child, "sh", NULL, NULL, words, NULL) == 0 && status_of(child) == 0, "posix_spawnp");
  // A program that lies in this run's folder.
  other = open("script", O_WRONLY | O_CREAT, 0755);
  CHECK(write(other, "#!/bin/sh\nexit $1\n", 18) == 18, "write");
  close(other);
  child = fork();
  if (child == 0) {
    execl("./script", "script", "7", (char *)NULL);
    _exit(99);
  }
  CHECK(status_of(child) == 7, "a script of this run");
  CHECK(getpid() == pid, "getpid");
  return probe_ok();
}
