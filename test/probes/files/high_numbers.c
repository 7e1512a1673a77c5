// Descriptors with every number up to the limit on open files, and above what the limit is when the restarted process begins.
// sabotage: call close 1001
// attached: not all numbers are its own: one of Cairn's is among the low ones, where none is left above
#include "../probe.h"
#include <sys/resource.h>

enum { FIRST = 800, MOST = 1400 };
static unsigned char is_open[MOST];

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  int last = limit.rlim_max >= MOST ? MOST : 1024;
  if (limit.rlim_max < 1024) SKIP("no more than 1023 open files");
  limit.rlim_cur = (rlim_t)last;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  int fd = open("content", O_RDWR | O_CREAT, 0600);
  CHECK(fd >= 0 && write(fd, "abc", 3) == 3, "open");
  for (int number = FIRST; number < last; number++) {
    // What is there was open before this program, or belongs to who watches it.
    if (fcntl(number, F_GETFD) != -1) continue;
    CHECK(dup2(fd, number) == number, "dup2 to %d", number);
    is_open[number] = 1;
  }
  struct stat wanted, found;
  CHECK(fstat(fd, &wanted) == 0, "fstat");
  probe_hold();
  for (int number = FIRST; number < last; number++) {
    if (is_open[number]) CHECK(fstat(number, &found) == 0 && found.st_ino == wanted.st_ino, "descriptor %d", number);
  }
  return probe_ok();
}
