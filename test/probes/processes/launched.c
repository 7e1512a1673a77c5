// Children that were started in every way: fexecve, a script, an empty environment, clone3, vfork, posix_spawn, popen, and system() in
// another thread. Each waits for a line of its standard input over the checkpoint and ends with a status of its own.
// attached: not known: which streams are of popen, when there were some before
// sabotage: poke @status
#include "../probe.h"
#include <linux/sched.h>
#include <spawn.h>
#include <sys/wait.h>

enum { FEXECVE, SCRIPT, EMPTY, CLONE3, VFORK, SPAWN, KINDS };
static const char *const names[] = {"fexecve", "a script", "an empty environment", "clone3", "vfork", "posix_spawn"};
static const char *const line_reader = "read line && [ \"$line\" = go ] && exit %d; exit 99";
static int pipes[KINDS][2], system_pipe[2];
static pid_t children[KINDS];
static uint64_t expected[KINDS];
static volatile int system_status = -1;
static char command[KINDS][128], system_command[160];

static void *run_system(void *argument) {
  system_status = system(system_command);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("status", (uint64_t)(uintptr_t)&expected[0]);
  int script = open("script", O_WRONLY | O_CREAT, 0755);
  CHECK(dprintf(script, "#!/bin/sh\nread line && [ \"$line\" = go ] && exit %d; exit 99\n", 10 + SCRIPT) > 0 && close(script) == 0, "script");
  int shell = open("/bin/sh", O_RDONLY | O_CLOEXEC);
  static char *const empty[] = {NULL};
  // Its writing end is this process's alone: when that ends, system()'s shell does.
  CHECK(pipe(system_pipe) == 0 && fcntl(system_pipe[1], F_SETFD, FD_CLOEXEC) == 0, "pipe");
  for (int i = 0; i < KINDS; i++) {
    expected[i] = 10 + (uint64_t)i;
    CHECK(pipe2(pipes[i], O_CLOEXEC) == 0, "pipe2");
    snprintf(command[i], sizeof command[i], line_reader, 10 + i);
    char *shell_arguments[] = {"sh", "-c", command[i], NULL}, *script_arguments[] = {"./script", NULL};
    if (i == SPAWN) {
      posix_spawn_file_actions_t actions;
      posix_spawn_file_actions_init(&actions);
      posix_spawn_file_actions_adddup2(&actions, pipes[i][0], 0);
      CHECK(posix_spawn(&children[i], "/bin/sh", &actions, NULL, shell_arguments, environ) == 0, "posix_spawn");
      continue;
    }
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    children[i] = i == CLONE3 ? (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments) : i == VFORK ? vfork() : fork();
    CHECK(children[i] >= 0, "%s", names[i]);
    if (children[i] != 0) continue;
    dup2(pipes[i][0], 0);
    if (i == FEXECVE) fexecve(shell, shell_arguments, environ);
    else if (i == SCRIPT) execve("./script", script_arguments, environ);
    else execve("/bin/sh", shell_arguments, i == EMPTY ? empty : environ);
    _exit(98);
  }
  FILE *stream = popen("read line; exit 21", "w");
  CHECK(stream != NULL, "popen");
  snprintf(system_command, sizeof system_command, "read line <&%d; exit 22", system_pipe[0]);
  pthread_t thread;
  pthread_create(&thread, NULL, run_system, NULL);
  probe_sleep_ms(150);
  probe_hold();
  int status;
  for (int i = 0; i < KINDS; i++) {
    CHECK(write(pipes[i][1], "go\n", 3) == 3, "write to the child of %s", names[i]);
    CHECK(waitpid(children[i], &status, 0) == children[i], "waitpid for the child of %s", names[i]);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (int)expected[i], "the child of %s ended with %x", names[i], status);
  }
  CHECK(fputs("word\n", stream) >= 0, "write to the child of popen");
  status = pclose(stream);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 21, "the child of popen ended with %x", status);
  CHECK(system_status == -1 && write(system_pipe[1], "go\n", 3) == 3, "system has returned %x", system_status);
  pthread_join(thread, NULL);
  CHECK(WIFEXITED(system_status) && WEXITSTATUS(system_status) == 22, "system gave %x", system_status);
  return probe_ok();
}
