// Extended attributes of files that are written: of one with a name, which are changed after the checkpoint, and of one without.
// sabotage: call ftruncate @named 1
// bits: 64, 32
#include "../probe.h"
#include <sys/xattr.h>

static void check(int fd, const char *name, const char *value) {
  char got[64] = "";
  ssize_t size = fgetxattr(fd, name, got, sizeof got);
  CHECK(size == (ssize_t)strlen(value) && memcmp(got, value, strlen(value)) == 0, "%s is '%s' instead of '%s'", name, got, value);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int named = open("named", O_RDWR | O_CREAT | O_TRUNC, 0644), unlinked = open("unlinked", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(named >= 0 && unlinked >= 0 && unlink("unlinked") == 0 && write(named, "text", 4) == 4 && write(unlinked, "text", 4) == 4, "open");
  if (fsetxattr(named, "user.kind", "wave", 4, 0) == -1 && errno == EOPNOTSUPP) SKIP("no extended attributes in this file system");
  CHECK(fsetxattr(named, "user.empty", "", 0, 0) == 0 && fsetxattr(unlinked, "user.lost", "name", 4, 0) == 0, "fsetxattr");
  probe_note("named", (uint64_t)named);
  probe_hold();
  struct stat status;
  CHECK(fstat(named, &status) == 0 && status.st_size == 4, "size");
  check(named, "user.kind", "wave");
  check(named, "user.empty", "");
  check(unlinked, "user.lost", "name");
  char names[256];
  CHECK(flistxattr(named, names, sizeof names) >= 21 && fgetxattr(named, "user.more", names, sizeof names) == -1, "one more");
  // The second restart of a snapshot sees these if anything was shared.
  CHECK(fsetxattr(named, "user.kind", "other", 5, 0) == 0 && fremovexattr(named, "user.empty") == 0 && fsetxattr(named, "user.more", "m", 1, 0) == 0, "changes");
  return probe_ok();
}
