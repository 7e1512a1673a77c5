// Private mappings of files: clean pages come from the file, written ones keep what was written, offsets and tails fit.
// sabotage: poke @dirty
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t bytes = 1 << 20, page = 4096;
  char *image = (char *)malloc(bytes);
  probe_fill(image, bytes, 31);
  int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(write(fd, image, bytes) == (ssize_t)bytes && write(fd, "tail", 4) == 4, "write");
  close(fd);
  fd = open("data", O_RDONLY);
  char *clean = (char *)mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  char *dirty = (char *)mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  char *middle = (char *)mmap(NULL, 16 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 64 * (off_t)page);
  CHECK(clean != MAP_FAILED && dirty != MAP_FAILED && middle != MAP_FAILED, "mmap");
  close(fd);
  for (size_t at = 0; at < bytes; at += 8 * page) probe_fill(dirty + at, page, at);
  // Written, then made read-only: still dirty.
  probe_fill(middle, 2 * page, 5);
  mprotect(middle, 16 * page, PROT_READ);
  probe_note("dirty", (uint64_t)(uintptr_t)dirty + 8 * page + 40);
  probe_hold();
  CHECK(probe_compare(clean, bytes, 31) == -1, "clean mapping at %ld", probe_compare(clean, bytes, 31));
  for (size_t at = 0; at < bytes; at += 8 * page) {
    CHECK(probe_compare(dirty + at, page, at) == -1, "written page at %zx", at);
    CHECK(memcmp(dirty + at + page, image + at + page, 7 * page) == 0, "clean page beside a written one at %zx", at);
  }
  CHECK(memcmp(dirty + bytes, "tail", 5) == 0 && probe_nonzero(dirty + bytes + 4, page - 4) == -1, "the file's tail");
  CHECK(probe_compare(middle, 2 * page, 5) == -1 && memcmp(middle + 2 * page, image + 66 * page, 14 * page) == 0, "mapping with an offset");
  return probe_ok();
}
