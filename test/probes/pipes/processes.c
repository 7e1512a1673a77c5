// A chain of three processes joined by pipes, as a shell makes it: each has ends that others do not have; a child waits in read,
// another in write; numbers go round and are counted.
// sabotage: call close @to
#include "../probe.h"
#include <sys/wait.h>

static void relay(int from, int to) {
  unsigned value;
  while (read(from, &value, sizeof value) == sizeof value) {
    value++;
    if (write(to, &value, sizeof value) != sizeof value) _exit(3);
  }
  _exit(0);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  int a[2], b[2], c[2], full[2];
  CHECK(pipe(a) == 0 && pipe(b) == 0 && pipe(c) == 0 && pipe(full) == 0, "pipe");
  pid_t first = fork();
  if (first == 0) {
    close(a[1]), close(b[0]), close(c[0]), close(c[1]), close(full[0]), close(full[1]);
    relay(a[0], b[1]);
  }
  pid_t second = fork();
  if (second == 0) {
    close(a[0]), close(a[1]), close(b[1]), close(c[0]), close(full[0]), close(full[1]);
    relay(b[0], c[1]);
  }
  pid_t third = fork();
  if (third == 0) {
    // Blocks when the pipe is full; in small pieces, as a stopped write of a large one may be cut short.
    close(a[0]), close(a[1]), close(b[0]), close(b[1]), close(c[0]), close(c[1]), close(full[0]);
    static char block[4096];
    for (int i = 0; i < 64; i++) {
      memset(block, i, sizeof block);
      if (write(full[1], block, sizeof block) != (ssize_t)sizeof block) _exit(4);
    }
    _exit(0);
  }
  CHECK(first > 0 && second > 0 && third > 0, "fork");
  close(a[0]), close(b[0]), close(b[1]), close(c[1]), close(full[1]);
  probe_note("to", (uint64_t)a[1]);
  unsigned value = 1;
  CHECK(write(a[1], &value, sizeof value) == sizeof value && read(c[0], &value, sizeof value) == sizeof value && value == 3, "first round");
  // Waits in the last pipe at the checkpoint.
  CHECK(write(a[1], &value, sizeof value) == sizeof value, "write");
  int size = 0;
  WAIT_UNTIL((size = fcntl(full[0], F_GETPIPE_SZ)) > 0, "size of a pipe");
  probe_hold();
  CHECK(read(c[0], &value, sizeof value) == sizeof value && value == 5, "what was on its way is %u", value);
  for (int i = 0; i < 100; i++) {
    CHECK(write(a[1], &value, sizeof value) == sizeof value && read(c[0], &value, sizeof value) == sizeof value, "round %d", i);
  }
  CHECK(value == 205, "it became %u", value);
  unsigned char block[4096];
  for (int i = 0; i < 64; i++) {
    for (size_t at = 0; at < sizeof block;) {
      ssize_t count = read(full[0], block + at, sizeof block - at);
      CHECK(count > 0, "block %d of the full pipe", i);
      at += (size_t)count;
    }
    CHECK(block[0] == i && block[4095] == i, "block %d begins with %d", i, block[0]);
  }
  CHECK(read(full[0], block, 1) == 0, "no end of file of the full pipe");
  close(a[1]);
  CHECK(read(c[0], &value, sizeof value) == 0, "no end of file goes round");
  int status = -1;
  CHECK(waitpid(first, &status, 0) == first && status == 0, "first ended with %x", status);
  CHECK(waitpid(second, &status, 0) == second && status == 0, "second ended with %x", status);
  CHECK(waitpid(third, &status, 0) == third && status == 0, "third ended with %x", status);
  return probe_ok();
}
