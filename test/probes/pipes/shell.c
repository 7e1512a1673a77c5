// A pipeline of a shell's making, a | b | c, with a reader that has ended: the programs know nothing of Cairn.
// sabotage: call close @from
#include "../probe.h"
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int in[2], out[2];
  CHECK(pipe(in) == 0 && pipe(out) == 0, "pipe");
  pid_t shell = fork();
  if (shell == 0) {
    dup2(in[0], 0), dup2(out[1], 1);
    close(in[0]), close(in[1]), close(out[0]), close(out[1]);
    execlp("sh", "sh", "-c", "cat | tr a-z A-Z | sed -u s/^/got:/", NULL);
    _exit(127);
  }
  close(in[0]), close(out[1]);
  probe_note("from", (uint64_t)out[0]);
  CHECK(write(in[1], "one\n", 4) == 4, "write");
  // The three wait for more by then.
  probe_sleep_ms(200);
  probe_hold();
  CHECK(write(in[1], "two\n", 4) == 4, "write");
  close(in[1]);
  char got[64] = "";
  size_t length = 0;
  for (ssize_t count; length < sizeof got - 1 && (count = read(out[0], got + length, sizeof got - 1 - length)) > 0;) length += (size_t)count;
  CHECK(strcmp(got, "got:ONE\ngot:TWO\n") == 0, "the pipeline gave '%s'", got);
  int status = -1;
  CHECK(waitpid(shell, &status, 0) == shell && status == 0, "the shell ended with %x", status);
  return probe_ok();
}
