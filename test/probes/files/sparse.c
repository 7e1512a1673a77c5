// A file of a gigabyte that is nearly all holes keeps its content, its size, and its holes.
// sabotage: call ftruncate @fd 500000000
#include "../probe.h"

enum { ISLANDS = 5, BYTES = 8192 };
static const off_t size = 1l << 30;

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int fd = open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(fd >= 0 && ftruncate(fd, size) == 0, "sparse");
  char island[BYTES], found[BYTES];
  for (int i = 0; i < ISLANDS; i++) {
    probe_fill(island, sizeof island, (uint64_t)i * 31);
    CHECK(pwrite(fd, island, sizeof island, i * (size / ISLANDS / BYTES) * BYTES) == BYTES, "island %d", i);
  }
  CHECK(pwrite(fd, "end", 3, size - 3) == 3 && lseek(fd, 12345, SEEK_SET) == 12345, "end");
  struct stat before, after;
  CHECK(fstat(fd, &before) == 0, "fstat");
  if (before.st_blocks > 4096) SKIP("this file system has no holes");
  probe_note("fd", (uint64_t)fd);
  probe_hold();
  CHECK(lseek(fd, 0, SEEK_CUR) == 12345, "offset");
  CHECK(fstat(fd, &after) == 0 && after.st_size == size, "size");
  CHECK(after.st_blocks <= 4096, "%ld blocks of 512 bytes, were %ld", (long)after.st_blocks, (long)before.st_blocks);
  for (int i = 0; i < ISLANDS; i++) {
    off_t at = i * (size / ISLANDS / BYTES) * BYTES;
    CHECK(pread(fd, found, sizeof found, at) == BYTES && probe_compare(found, sizeof found, (uint64_t)i * 31) == -1, "island %d", i);
    CHECK(pread(fd, found, sizeof found, at + BYTES) == BYTES && probe_nonzero(found, sizeof found) == -1, "behind island %d", i);
  }
  CHECK(pread(fd, found, sizeof found, size / 2) == BYTES && probe_nonzero(found, sizeof found) == -1, "the middle");
  CHECK(pread(fd, found, 8, size - 3) == 3 && memcmp(found, "end", 3) == 0, "end");
  return probe_ok();
}
