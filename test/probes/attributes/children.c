// A program that starts other programs before and after the checkpoint, but has none while it comes.
// sabotage: poke @expected
#include "../probe.h"
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
static int expected = 7;

static void use_children(void) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) _exit(getppid() == 1 ? 1 : expected);
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == expected, "fork and wait: status %x", (unsigned)status);
  CHECK(system("exit 3") == 3 << 8, "system");
  FILE *pipe = popen("echo from a shell", "r");
  char text[64] = "";
  CHECK(pipe && fgets(text, sizeof text, pipe) && strcmp(text, "from a shell\n") == 0, "popen gave '%s'", text);
  CHECK(pclose(pipe) == 0, "pclose");
  char *arguments[] = {(char *)"sh", (char *)"-c", (char *)"exit 5", NULL};
  CHECK(posix_spawnp(&child, "sh", NULL, NULL, arguments, environ) == 0, "posix_spawnp");
  CHECK(waitpid(-1, &status, 0) == child && WEXITSTATUS(status) == 5, "wait for the spawned child");
  CHECK(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD, "there is another child");
  siginfo_t info;
  child = vfork();
  if (child == 0) _exit(6);
  CHECK(waitid(P_PID, (id_t)child, &info, WEXITED) == 0 && info.si_status == 6 && info.si_pid == child, "vfork and waitid");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  use_children();
  probe_hold();
  CHECK(expected == 7, "a static value");
  use_children();
  return probe_ok();
}
