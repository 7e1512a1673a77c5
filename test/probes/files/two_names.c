// A file with two names (hard links) that is open by both, one of them in another folder: it stays one file.
// sabotage: call close @second
#include "../probe.h"

static void expect(const char *path, const char *text) {
  char got[64] = "";
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0, "%s is not there", path);
  CHECK(read(fd, got, sizeof got - 1) == (ssize_t)strlen(text) && strcmp(got, text) == 0, "%s has '%s'", path, got);
  close(fd);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  mkdir("folder", 0755);
  unlink("first"), unlink("folder/second");
  int first = open("first", O_RDWR | O_CREAT, 0644);
  CHECK(first >= 0 && write(first, "one", 3) == 3 && link("first", "folder/second") == 0, "first");
  int second = open("folder/second", O_WRONLY | O_APPEND);
  CHECK(second >= 0 && write(second, "two", 3) == 3, "second");
  probe_note("second", (uint64_t)second);
  probe_hold();
  CHECK(write(second, "three", 5) == 5 && write(first, "TWO", 3) == 3, "write");
  expect("first", "oneTWOthree");
  expect("folder/second", "oneTWOthree");
  struct stat one, two;
  CHECK(stat("first", &one) == 0 && stat("folder/second", &two) == 0 && one.st_ino == two.st_ino && one.st_nlink == 2, "inodes %lu and %lu, %lu names",
        (unsigned long)one.st_ino, (unsigned long)two.st_ino, (unsigned long)one.st_nlink);
  return probe_ok();
}
