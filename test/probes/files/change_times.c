// When files that are open for writing were last written: one written long ago, one whose time the program has set, and one without a
// name. A program that compares such times (make) must find the order that it left, and a later write must set the time of then.
// sabotage: call ftruncate @old 1
// overtaken: the run that goes on writes to the file whose time is checked
// bits: 64, 32
#include "../probe.h"

static int make(const char *name, time_t seconds, long nanoseconds) {
  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && write(fd, "text", 4) == 4, "open %s", name);
  struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
  CHECK(futimens(fd, times) == 0, "futimens");
  return fd;
}

static void check(int fd, time_t seconds, long nanoseconds, const char *what) {
  struct stat status;
  CHECK(fstat(fd, &status) == 0, "fstat");
  CHECK(status.st_mtim.tv_sec == seconds && status.st_mtim.tv_nsec == nanoseconds, "%s was changed at %lld.%09ld", what,
        (long long)status.st_mtim.tv_sec, (long)status.st_mtim.tv_nsec);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int old = make("old", 1000000000, 5000), set = make("set", 2000000000, 0), unlinked = make("unlinked", 1234567890, 7000);
  CHECK(unlink("unlinked") == 0, "unlink");
  probe_note("old", (uint64_t)old);
  probe_hold();
  check(old, 1000000000, 5000, "old");
  check(set, 2000000000, 0, "set");
  check(unlinked, 1234567890, 7000, "unlinked");
  struct stat named, written;
  CHECK(stat("old", &named) == 0 && named.st_mtim.tv_sec == 1000000000, "by its name old was changed at %lld", (long long)named.st_mtim.tv_sec);
  time_t now = time(NULL);
  CHECK(write(old, "more", 4) == 4 && fstat(old, &written) == 0 && written.st_mtim.tv_sec >= now - 1, "a write has left the time");
  return probe_ok();
}
