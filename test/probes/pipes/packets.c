// A pipe in packet mode keeps the boundaries of what was written.
// sabotage: call fcntl @write 4 1
#include "../probe.h"

static void expect(int fd, const char *text) {
  char got[64] = "";
  ssize_t count = read(fd, got, sizeof got);
  CHECK(count == (ssize_t)strlen(text) && memcmp(got, text, strlen(text)) == 0, "got %zd bytes '%s', not '%s'", count, got, text);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int ends[2], short_ones[2], single[2];
  CHECK(pipe2(ends, O_DIRECT) == 0 && pipe2(short_ones, O_DIRECT) == 0 && pipe2(single, O_DIRECT) == 0, "pipe2");
  probe_note("write", (uint64_t)ends[1]);
  CHECK(write(ends[1], "first", 5) == 5 && write(ends[1], "2nd", 3) == 3 && write(ends[1], "the third", 9) == 9, "write");
  CHECK(write(short_ones[1], "a", 1) == 1 && write(short_ones[1], "b", 1) == 1, "write");
  CHECK(write(single[1], "x", 1) == 1, "write");
  probe_hold();
  CHECK(fcntl(ends[1], F_GETFL) == (O_WRONLY | O_DIRECT), "flags %o", fcntl(ends[1], F_GETFL));
  CHECK(write(ends[1], "new", 3) == 3 && write(ends[1], "newer", 5) == 5 && write(single[1], "y", 1) == 1, "write");
  char part[2];
  CHECK(read(ends[0], part, 2) == 2 && memcmp(part, "fi", 2) == 0, "the first part of a packet");
  expect(ends[0], "2nd");
  expect(ends[0], "the third");
  expect(ends[0], "new");
  expect(ends[0], "newer");
  expect(short_ones[0], "a");
  expect(short_ones[0], "b");
  expect(single[0], "x");
  expect(single[0], "y");
  return probe_ok();
}
