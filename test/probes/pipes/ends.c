// Pipes in one process: data inside, size, flags of each open file description, ends that are closed.
// sabotage: call close @write
// bits: 64, 32
#include "../probe.h"
#include <sys/ioctl.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  int empty[2], held[2], full[2], no_writer[2], no_reader[2];
  CHECK(pipe(empty) == 0 && pipe2(held, O_CLOEXEC) == 0 && pipe2(full, O_NONBLOCK) == 0, "pipe");
  CHECK(pipe(no_writer) == 0 && pipe(no_reader) == 0, "pipe");
  probe_note("write", (uint64_t)held[1]);
  // A copy that shares the flags, and another opening of the same pipe that does not.
  int copy = dup(empty[1]);
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", empty[0]);
  int opened = open(link, O_RDONLY | O_NONBLOCK);
  CHECK(opened >= 0, "open %s", link);
  CHECK(fcntl(empty[1], F_SETFL, O_NONBLOCK) == 0, "F_SETFL");
  CHECK(write(held[1], "in the pipe", 11) == 11, "write");
  CHECK(fcntl(full[1], F_SETPIPE_SZ, 1 << 18) == 1 << 18, "F_SETPIPE_SZ");
  static char block[1 << 18], got[1 << 18];
  probe_fill(block, sizeof block, 7);
  CHECK(write(full[1], block, sizeof block) == (ssize_t)sizeof block, "filling the pipe");
  CHECK(write(no_writer[1], "rest", 4) == 4, "write");
  close(no_writer[1]);
  close(no_reader[0]);
  probe_hold();
  CHECK(fcntl(copy, F_GETFL) == (O_WRONLY | O_NONBLOCK), "flags of the copy: %o", fcntl(copy, F_GETFL));
  CHECK(fcntl(empty[0], F_GETFL) == O_RDONLY, "flags of the other end: %o", fcntl(empty[0], F_GETFL));
  CHECK((fcntl(opened, F_GETFL) & O_NONBLOCK) != 0, "flags of what was opened again");
  CHECK(fcntl(held[0], F_GETFD) == FD_CLOEXEC && fcntl(empty[0], F_GETFD) == 0, "close-on-exec");
  int waiting = -1;
  CHECK(ioctl(held[0], FIONREAD, &waiting) == 0 && waiting == 11, "%d bytes wait", waiting);
  CHECK(write(held[1], "!", 1) == 1, "write");
  CHECK(read(held[0], got, sizeof got) == 12 && memcmp(got, "in the pipe!", 12) == 0, "got '%.12s'", got);
  CHECK(fcntl(full[0], F_GETPIPE_SZ) == 1 << 18, "size of the pipe is %d", fcntl(full[0], F_GETPIPE_SZ));
  CHECK(write(full[1], "x", 1) == -1 && errno == EAGAIN, "the full pipe takes more");
  CHECK(read(full[0], got, sizeof got) == (ssize_t)sizeof got && memcmp(got, block, sizeof got) == 0, "content of the full pipe");
  CHECK(read(full[0], got, 1) == -1 && errno == EAGAIN, "the pipe is not empty");
  CHECK(write(copy, "ab", 2) == 2 && read(opened, got, 1) == 1 && read(empty[0], got + 1, 1) == 1, "both openings read");
  CHECK(got[0] == 'a' && got[1] == 'b', "both read %.2s", got);
  CHECK(read(opened, got, 1) == -1 && errno == EAGAIN, "nothing is left");
  CHECK(read(no_writer[0], got, 10) == 4 && memcmp(got, "rest", 4) == 0, "what a closed writer left");
  CHECK(read(no_writer[0], got, 10) == 0, "no end of file");
  CHECK(write(no_reader[1], "x", 1) == -1 && errno == EPIPE, "no EPIPE");
  close(empty[1]);
  close(copy);
  CHECK(read(opened, got, 1) == 0, "no end of file when the last writer closes");
  return probe_ok();
}
