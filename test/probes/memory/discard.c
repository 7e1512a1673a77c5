// mremap and madvise on memory that came from the image: moved content stays, discarded memory reads as zeros.
// sabotage: poke @first
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t bytes = 8 << 20, page = 4096;
  char *area = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *second = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *shared = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  probe_fill(area, bytes, 61);
  probe_fill(second, bytes, 62);
  probe_fill(shared, bytes, 63);
  probe_note("first", (uint64_t)(uintptr_t)area + bytes - 8);
  probe_hold();
  CHECK(madvise(second, bytes / 2, MADV_DONTNEED) == 0, "MADV_DONTNEED");
  CHECK(probe_nonzero(second, bytes / 2) == -1, "discarded memory still has content at %ld", probe_nonzero(second, bytes / 2));
  CHECK(madvise(second + bytes / 2, page, MADV_DONTNEED) == 0 && probe_nonzero(second + bytes / 2, page) == -1, "one discarded page");
  CHECK(memcmp(second + bytes / 2 + page, (uint64_t[]){(bytes / 16 + page / 8 + 62) * 0x9e3779b97f4a7c15ull}, 8) == 0, "the page after a discarded one");
  CHECK(madvise(shared, bytes / 2, MADV_REMOVE) == 0 && probe_nonzero(shared, bytes / 2) == -1, "MADV_REMOVE of shared memory");
  CHECK(madvise(shared + bytes / 2, page, MADV_DONTNEED) == 0, "MADV_DONTNEED of shared memory");
  CHECK(*(uint64_t *)(shared + bytes / 2) == (bytes / 16 + 63) * 0x9e3779b97f4a7c15ull, "shared memory lost its content");
  char *moved = (char *)mremap(area, bytes, 2 * bytes, MREMAP_MAYMOVE);
  CHECK(moved != MAP_FAILED, "mremap: one mapping became several?");
  CHECK(probe_compare(moved, bytes, 61) == -1, "moved memory at %ld", probe_compare(moved, bytes, 61));
  CHECK(probe_nonzero(moved + bytes, bytes) == -1, "grown memory is not zero");
  char *shrunk = (char *)mremap(moved, 2 * bytes, bytes / 4, 0);
  CHECK(shrunk == moved && probe_compare(shrunk, bytes / 4, 61) == -1, "shrunk memory");
  return probe_ok();
}
