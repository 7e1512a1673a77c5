// dup'ed descriptors share one offset and status flags; two opens of one file do not.
// sabotage: call dup2 @apart @same
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int first = open("log", O_RDWR | O_CREAT | O_TRUNC, 0644);
  int same = dup(first), also = dup3(first, 77, O_CLOEXEC), apart = open("log", O_RDWR);
  CHECK(write(first, "one ", 4) == 4 && write(same, "two ", 4) == 4, "write");
  probe_note("same", (uint64_t)same);
  probe_note("apart", (uint64_t)apart);
  probe_hold();
  CHECK(write(also, "three ", 6) == 6 && write(first, "four", 4) == 4, "write");
  CHECK(lseek(same, 0, SEEK_CUR) == 18, "the shared offset is %ld", (long)lseek(same, 0, SEEK_CUR));
  CHECK(lseek(apart, 0, SEEK_CUR) == 0, "the other open's offset is %ld", (long)lseek(apart, 0, SEEK_CUR));
  CHECK(fcntl(same, F_SETFL, O_APPEND) == 0 && (fcntl(also, F_GETFL) & O_APPEND) && !(fcntl(apart, F_GETFL) & O_APPEND), "shared status flags");
  CHECK(fcntl(also, F_GETFD) == FD_CLOEXEC && fcntl(same, F_GETFD) == 0, "descriptor flags are not shared");
  char text[32] = "";
  CHECK(read(apart, text, 31) == 18 && strcmp(text, "one two three four") == 0, "content '%s'", text);
  return probe_ok();
}
