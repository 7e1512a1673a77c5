// Files that were made without a name (O_TMPFILE) and get one after the restart, by /proc/self/fd and by AT_EMPTY_PATH or its stand-in; two
// open file descriptions of one of them, one of them in another process.
// sabotage: call close @first
#include "../probe.h"
#include <sys/wait.h>

static void expect(const char *path, const char *text) {
  char got[64] = "";
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0, "%s is not there", path);
  CHECK(read(fd, got, sizeof got - 1) == (ssize_t)strlen(text) && strcmp(got, text) == 0, "%s has '%s'", path, got);
  close(fd);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int first = open(".", O_TMPFILE | O_RDWR, 0640), second = open(".", O_TMPFILE | O_WRONLY | O_APPEND, 0600);
  if (first == -1 && (errno == EOPNOTSUPP || errno == EISDIR)) SKIP("this file system has no files without a name");
  CHECK(first >= 0 && second >= 0, "O_TMPFILE");
  probe_note("first", (uint64_t)first);
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", first);
  int again = open(link, O_RDWR), pipes[2];
  CHECK(again >= 0 && pipe(pipes) == 0, "open again");
  CHECK(write(first, "first", 5) == 5 && write(second, "second", 6) == 6, "write");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    close(pipes[1]);
    close(first);
    char byte;
    if (read(pipes[0], &byte, 1) != 1) _exit(1);
    _exit(pwrite(again, "F", 1, 0) == 1 ? 0 : 2);
  }
  close(pipes[0]);
  close(again);

  probe_hold();
  struct stat status;
  CHECK(fstat(first, &status) == 0 && status.st_nlink == 0 && (status.st_mode & 0777) == 0640, "%d links, mode %o", (int)status.st_nlink, status.st_mode);
  // Another run that goes on makes its own in the folder below.
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  char given[64], other[64];
  snprintf(given, sizeof given, "given-%lld-%ld", (long long)now.tv_sec, now.tv_nsec);
  snprintf(other, sizeof other, "other-%lld-%ld", (long long)now.tv_sec, now.tv_nsec);
  CHECK(write(first, ", more", 6) == 6, "write");
  CHECK(linkat(AT_FDCWD, link, AT_FDCWD, given, AT_SYMLINK_FOLLOW) == 0, "linkat");
  CHECK(write(pipes[1], "x", 1) == 1, "the child is gone");
  int end = 0;
  CHECK(waitpid(child, &end, 0) == child && end == 0, "the child gave %x", end);
  expect(given, "First, more");
  CHECK(write(second, "!", 1) == 1, "write");
  if (linkat(second, "", AT_FDCWD, other, AT_EMPTY_PATH) == -1) {
    CHECK(errno == ENOENT || errno == EPERM, "AT_EMPTY_PATH");  // needs a capability
    snprintf(link, sizeof link, "/proc/self/fd/%d", second);
    CHECK(linkat(AT_FDCWD, link, AT_FDCWD, other, AT_SYMLINK_FOLLOW) == 0, "linkat");
  }
  expect(other, "second!");
  CHECK(fstat(first, &status) == 0 && status.st_nlink == 1, "%d links", (int)status.st_nlink);
  return probe_ok();
}
