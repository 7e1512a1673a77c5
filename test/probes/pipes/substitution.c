// bash with `exec 3> >(command)`: the end for writing was opened by its name in /dev/fd, the reader is a child that only waits. What
// is written after any number of restarts comes out; the reader sees the end when bash closes its own, not before.
// sabotage: call close @from
// attached: not yet: bash that waits in its builtin read does not go on after an attach and a restart
#include "../probe.h"
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  if (access("/bin/bash", X_OK) != 0) SKIP("needs bash");
  int in[2], out[2];
  CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
  pid_t shell = fork();
  if (shell == 0) {
    dup2(in[0], 0), dup2(out[1], 1);
    execl("/bin/bash", "bash", "--norc", "-c",
          "exec 3> >(while read -r line; do echo \"got:$line\"; done; echo over); "
          "exec 4> >(sed -u s/^/sed:/); while read -r line; do echo \"$line\" >&3; echo \"$line\" >&4; done; exec 4>&- 3>&-",
          NULL);
    _exit(127);
  }
  close(in[0]), close(out[1]);
  probe_note("from", (uint64_t)out[0]);
  static char got[4096];
  size_t length = 0;
#define READ_UNTIL(text)                                                              \
  while (strstr(got, text) == NULL) {                                                 \
    ssize_t count = read(out[0], got + length, sizeof got - 1 - length);              \
    CHECK(count > 0, "the end of '%s' instead of %s", got, text);                     \
    length += (size_t)count;                                                          \
  }
  CHECK(write(in[1], "one\n", 4) == 4, "write");
  READ_UNTIL("got:one\n");
  READ_UNTIL("sed:one\n");
  probe_hold();
  CHECK(strstr(got, "over") == NULL, "the reader saw an end: '%s'", got);
  CHECK(write(in[1], "two\n", 4) == 4, "write");
  READ_UNTIL("got:two\n");
  READ_UNTIL("sed:two\n");
  CHECK(strstr(got, "over") == NULL, "the reader saw an end: '%s'", got);
  close(in[1]);
  READ_UNTIL("over\n");
  int status = -1;
  CHECK(waitpid(shell, &status, 0) == shell && status == 0, "bash ended with %x", status);
  return probe_ok();
}
