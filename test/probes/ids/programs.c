// The links exe and cwd of other processes of the computation: of a child of before, of one that is forked later, and of one that has
// executed another program.
// sabotage: poke @program
#include "../probe.h"
#include <sys/wait.h>

static char program[4096], folder[4096];

static void check_link(pid_t process, const char *name, const char *expected) {
  char path[64], text[4096] = "";
  snprintf(path, sizeof path, "/proc/%d/%s", process, name);
  CHECK(readlink(path, text, sizeof text - 1) > 0, "readlink %s", path);
  CHECK(strcmp(text, expected) == 0, "%s is %.100s, not %.100s", path, text, expected);
}

static pid_t start(int executes) {
  pid_t parent = getpid(), child = fork();
  if (child != 0) return child;
  probe_end_with_parent();
  if (getppid() != parent) _exit(1);
  if (executes) execl("/bin/sleep", "sleep", "1000", (char *)NULL);
  for (;;) pause();
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(readlink("/proc/self/exe", program, sizeof program - 1) > 0, "exe");
  CHECK(getcwd(folder, sizeof folder) != NULL, "getcwd");
  probe_note("program", (uint64_t)(uintptr_t)program);
  pid_t children[3] = {start(0), start(1), 0};
  char sleeper[4096] = "", path[64], text[4096];
  CHECK(realpath("/bin/sleep", sleeper) != NULL, "realpath");
  snprintf(path, sizeof path, "/proc/%d/exe", children[1]);
  WAIT_UNTIL((memset(text, 0, sizeof text), readlink(path, text, sizeof text - 1) > 0) && strcmp(text, sleeper) == 0, "what is executed is %s", text);
  probe_hold();
  children[2] = start(0);
  check_link(getpid(), "exe", program);
  check_link(children[0], "exe", program);
  check_link(children[0], "cwd", folder);
  check_link(children[2], "exe", program);
  check_link(children[1], "exe", sleeper);
  pid_t later = start(1);
  snprintf(path, sizeof path, "/proc/%d/exe", later);
  WAIT_UNTIL((memset(text, 0, sizeof text), readlink(path, text, sizeof text - 1) > 0) && strcmp(text, sleeper) == 0, "what is executed now is %s", text);
  pid_t all[] = {children[0], children[1], children[2], later};
  for (int i = 0; i < 4; i++) CHECK(kill(all[i], SIGKILL) == 0 && waitpid(all[i], NULL, 0) == all[i], "child %d", i);
  return probe_ok();
}
