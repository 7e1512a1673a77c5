// Named pipes: open at both ends with data inside, opened for both, unlinked while open, and opened by name after the restart.
// sabotage: call close @reader
#include "../probe.h"
#include <poll.h>

static short reported(int fd) {
  struct pollfd one = {fd, POLLIN, 0};
  return poll(&one, 1, 0) == 1 ? one.revents : 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  unlink("fifo"), unlink("both"), unlink("gone");
  CHECK(mkfifo("fifo", 0640) == 0 && mkfifo("both", 0600) == 0 && mkfifo("gone", 0600) == 0, "mkfifo");
  int reader = open("fifo", O_RDONLY | O_NONBLOCK), writer = open("fifo", O_WRONLY);
  int both = open("both", O_RDWR), gone_reader = open("gone", O_RDONLY | O_NONBLOCK), gone_writer = open("gone", O_WRONLY);
  CHECK(reader >= 0 && writer >= 0 && both >= 0 && gone_reader >= 0 && gone_writer >= 0, "open");
  probe_note("reader", (uint64_t)reader);
  CHECK(unlink("gone") == 0, "unlink");
  CHECK(write(writer, "inside", 6) == 6 && write(both, "self", 4) == 4 && write(gone_writer, "nameless", 8) == 8, "write");
  close(gone_writer);
  // Nobody has ever written to one; the writer of the other has gone.
  unlink("idle"), unlink("left");
  CHECK(mkfifo("idle", 0400) == 0 && mkfifo("left", 0600) == 0, "mkfifo");
  int idle = open("idle", O_RDONLY | O_NONBLOCK), left = open("left", O_RDONLY | O_NONBLOCK);
  CHECK(idle >= 0 && left >= 0 && close(open("left", O_WRONLY)) == 0, "open");
  CHECK(reported(idle) == 0 && reported(left) == POLLHUP, "before: %x, %x", reported(idle), reported(left));
  probe_hold();
  CHECK(reported(idle) == 0, "a hang-up before the first writer: %x", reported(idle));
  CHECK(reported(left) == POLLHUP, "no hang-up: %x", reported(left));
  CHECK(reported(gone_reader) == (POLLIN | POLLHUP) && reported(reader) == POLLIN, "hang-ups: %x, %x", reported(gone_reader), reported(reader));
  char got[32] = "";
  struct stat status, named;
  CHECK(read(reader, got, sizeof got) == 6 && memcmp(got, "inside", 6) == 0, "got '%s'", got);
  CHECK(read(both, got, sizeof got) == 4 && memcmp(got, "self", 4) == 0, "got '%s'", got);
  CHECK(read(gone_reader, got, sizeof got) == 8 && memcmp(got, "nameless", 8) == 0, "got '%s'", got);
  CHECK(read(gone_reader, got, sizeof got) == 0, "no end of file");
  CHECK(fstat(reader, &status) == 0 && S_ISFIFO(status.st_mode) && (status.st_mode & 0777) == 0640, "mode %o", status.st_mode);
  CHECK(stat("fifo", &named) == 0 && named.st_ino == status.st_ino, "its name is another file's");
  int again = open("fifo", O_WRONLY | O_NONBLOCK);
  CHECK(again >= 0, "open by name");
  CHECK(write(again, "by name", 7) == 7 && read(reader, got, sizeof got) == 7, "a new end is an end of the same pipe");
  close(again);
  close(writer);
  CHECK(read(reader, got, sizeof got) == 0, "no end of file");
  CHECK(access("gone", F_OK) == -1, "an unlinked pipe has a name");
  return probe_ok();
}
