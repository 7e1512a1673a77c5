// As the FST writer of simulators does it: O_TMPFILE and unlinked files, written, mapped shared, grown, some with closed fds.
// sabotage: poke @mapped
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t bytes = 1 << 17;
  int temporary = open(".", O_TMPFILE | O_RDWR, 0600);
  if (temporary == -1) SKIP("file system without O_TMPFILE");
  int unlinked = open("gone", O_RDWR | O_CREAT | O_TRUNC, 0600);
  int closed = open("gone-too", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(ftruncate(temporary, (off_t)bytes) == 0 && ftruncate(unlinked, (off_t)bytes) == 0 && ftruncate(closed, (off_t)bytes) == 0, "ftruncate");
  char *mapped = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, temporary, 0);
  char *also = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, unlinked, 0);
  char *orphan = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, closed, 0);
  char *private_one = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, unlinked, 0);
  CHECK(mapped != MAP_FAILED && also != MAP_FAILED && orphan != MAP_FAILED && private_one != MAP_FAILED, "mmap");
  unlink("gone");
  unlink("gone-too");
  close(closed);
  probe_fill(mapped, bytes, 41);
  probe_fill(also, bytes, 42);
  probe_fill(orphan, bytes, 43);
  probe_fill(private_one, 4096, 44);
  CHECK(lseek(temporary, 100, SEEK_SET) == 100 && pwrite(unlinked, "end", 3, (off_t)bytes) == 3, "pwrite");
  probe_note("mapped", (uint64_t)(uintptr_t)mapped + 4100);
  probe_hold();
  CHECK(probe_compare(mapped, bytes, 41) == -1, "O_TMPFILE mapping at %ld", probe_compare(mapped, bytes, 41));
  CHECK(probe_compare(also, bytes, 42) == -1, "mapping of an unlinked file");
  CHECK(probe_compare(orphan, bytes, 43) == -1, "mapping of an unlinked file without an fd");
  CHECK(probe_compare(private_one, 4096, 44) == -1 && memcmp(private_one + 4096, also + 4096, bytes - 4096) == 0, "private mapping of an unlinked file");
  CHECK(lseek(temporary, 0, SEEK_CUR) == 100, "offset is %ld", (long)lseek(temporary, 0, SEEK_CUR));
  char text[4] = "";
  CHECK(pread(unlinked, text, 3, (off_t)bytes) == 3 && memcmp(text, "end", 3) == 0, "what lies beyond the mapping");
  mapped[5] = 'M';
  CHECK(pread(temporary, text, 1, 5) == 1 && text[0] == 'M', "a store does not reach the O_TMPFILE");
  CHECK(pwrite(unlinked, "W", 1, 9) == 1 && also[9] == 'W', "a write does not reach the mapping");
  struct stat status;
  CHECK(fstat(unlinked, &status) == 0 && status.st_nlink == 0, "the unlinked file has %d names", (int)status.st_nlink);
  CHECK(access("gone", F_OK) == -1 && access("gone-too", F_OK) == -1, "an unlinked file is back in its folder");
  CHECK(ftruncate(temporary, (off_t)bytes * 2) == 0, "the O_TMPFILE does not grow");
  return probe_ok();
}
