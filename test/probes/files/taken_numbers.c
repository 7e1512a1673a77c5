// A program puts its descriptors where it wants them, by dup2 and dup3, under every number that there is for a while: each stays there
// and is that file, whoever had the number; one that cannot be put leaves the number free.
// sabotage: call close 1001
// attached: not all numbers are its own: Cairn has come before it raises its limit
#include "../probe.h"
#include <sys/resource.h>

enum { FIRST = 300, LAST = 1100, LIMIT = 1200 };

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < LIMIT) SKIP("no more than %ld open files", (long)limit.rlim_max);
  limit.rlim_cur = LIMIT;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  int fd = open("content", O_RDWR | O_CREAT, 0600);
  CHECK(fd >= 0 && write(fd, "abc", 3) == 3, "open");
  struct stat wanted, found;
  CHECK(fstat(fd, &wanted) == 0, "fstat");
  for (int number = FIRST; number < LAST; number++) {
    CHECK(dup2(LIMIT - 1, number) == -1 && errno == EBADF, "dup2 of nothing to %d", number);
    CHECK((number % 2 ? dup2(fd, number) : dup3(fd, number, O_CLOEXEC)) == number, "dup2 to %d", number);
  }
  // Longer than it takes to miss something.
  probe_sleep_ms(1500);
  for (int round = 0; round < 2; round++) {
    for (int number = FIRST; number < LAST; number++) {
      CHECK(fstat(number, &found) == 0 && found.st_ino == wanted.st_ino, "descriptor %d", number);
      CHECK(fcntl(number, F_GETFD) == (number % 2 ? 0 : FD_CLOEXEC), "flags of %d", number);
    }
    CHECK(pread(fd, (char[4]){0}, 4, 0) == 3, "something was written to it");
    if (round == 0) probe_hold();
  }
  return probe_ok();
}
