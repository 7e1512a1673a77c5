// Numbers of device and inode stay those that the program knows: of open files, by descriptor and by path, also where the file is made
// again; of a file that it changes afterwards; of two names of one file. Databases and logs compare them.
// sabotage: poke @written
#include "../probe.h"

static struct stat written, unlinked, read_only, changed, linked;

static void same(const char *what, const struct stat *before, const struct stat *now) {
  CHECK(before->st_dev == now->st_dev && before->st_ino == now->st_ino, "%s is %lx:%lu, before %lx:%lu", what, (long)now->st_dev,
        (unsigned long)now->st_ino, (long)before->st_dev, (unsigned long)before->st_ino);
}

int main(int argc, char **argv) {
  struct stat now;
  struct statx extended;
  probe_init(argc, argv);
  unlink("written"), unlink("gone"), unlink("read-only"), unlink("changed"), unlink("linked"), unlink("second");
  int fd = open("written", O_RDWR | O_CREAT, 0644), gone = open("gone", O_RDWR | O_CREAT, 0644);
  int link_fd = open("linked", O_WRONLY | O_CREAT, 0644);
  close(open("read-only", O_RDWR | O_CREAT, 0644));
  close(open("changed", O_RDWR | O_CREAT, 0644));
  int reading = open("read-only", O_RDONLY);
  CHECK(write(fd, "text", 4) == 4 && write(gone, "text", 4) == 4 && link("linked", "second") == 0, "files");
  unlink("gone");
  fstat(fd, &written), fstat(gone, &unlinked), fstat(reading, &read_only), stat("changed", &changed), fstat(link_fd, &linked);
  probe_note("written", (uint64_t)(uintptr_t)&written.st_ino);
  probe_hold();
  CHECK(fstat(fd, &now) == 0, "fstat");
  same("the open file", &written, &now);
  CHECK(stat("written", &now) == 0, "stat");
  same("the open file by its path", &written, &now);
  CHECK(statx(AT_FDCWD, "written", 0, STATX_INO, &extended) == 0 && extended.stx_ino == written.st_ino, "statx gives %llu",
        (unsigned long long)extended.stx_ino);
  CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_INO, &extended) == 0 && extended.stx_ino == written.st_ino, "statx of the descriptor gives %llu",
        (unsigned long long)extended.stx_ino);
  CHECK(fstatat(AT_FDCWD, "written", &now, 0) == 0, "fstatat");
  same("the open file by fstatat", &written, &now);
  CHECK(fstat(gone, &now) == 0, "fstat");
  same("the unlinked file", &unlinked, &now);
  CHECK(fstat(reading, &now) == 0, "fstat");
  same("the file that is only read", &read_only, &now);
  CHECK(stat("changed", &now) == 0, "stat");
  // Else the run from which this one was restarted has changed it since, in its own folder.
  if (now.st_size != 0) changed = now;
  same("a file that was not open", &changed, &now);
  int later = open("changed", O_RDWR);
  CHECK(later >= 0 && write(later, "new", 3) == 3 && fstat(later, &now) == 0, "writing later");
  same("a file that was changed later", &changed, &now);
  CHECK(stat("changed", &now) == 0, "stat");
  same("a file that was changed later, by its path", &changed, &now);
  CHECK(fstat(link_fd, &now) == 0, "fstat");
  same("the file with two names", &linked, &now);
  return probe_ok();
}
