// Private anonymous memory of every protection and shape keeps its content: dense, sparse, read-only, executable, write-only.
// sabotage: poke @dense
// bits: 64, 32
#include "../probe.h"

static char *map(size_t bytes) {
  char *start = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(start != MAP_FAILED, "mmap");
  return start;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t dense_bytes = 8 << 20, sparse_bytes = 64 << 20, page = 4096;
  char *dense = map(dense_bytes), *sparse = map(sparse_bytes), *untouched = map(1 << 20), *constant = map(1 << 16);
  char *written_only = map(1 << 16), *zeroed = map(1 << 20);
  probe_fill(dense, dense_bytes, 1);
  for (size_t at = 0; at < sparse_bytes; at += 1 << 20) probe_fill(sparse + at + page * (at >> 20), page, at);
  probe_fill(constant, 1 << 16, 2);
  mprotect(constant, 1 << 16, PROT_READ);
  probe_fill(written_only, 1 << 16, 3);
  mprotect(written_only, 1 << 16, PROT_WRITE);
  probe_fill(zeroed, 1 << 20, 4);
  memset(zeroed, 0, 1 << 20);
  // One page in three changes its protection: many mappings from one.
  for (size_t at = 0; at < dense_bytes / 4; at += 3 * page) mprotect(dense + at, page, PROT_READ);
  probe_note("dense", (uint64_t)(uintptr_t)dense + dense_bytes / 2 + 77);
  probe_hold();
  CHECK(probe_compare(dense, dense_bytes, 1) == -1, "dense memory at %ld", probe_compare(dense, dense_bytes, 1));
  for (size_t at = 0; at < sparse_bytes; at += 1 << 20) {
    size_t used = at + page * (at >> 20);
    CHECK(probe_compare(sparse + used, page, at) == -1, "sparse memory at %zx", used);
    CHECK(probe_nonzero(sparse + used + page, page) == -1, "a gap in sparse memory at %zx", used);
  }
  CHECK(probe_nonzero(untouched, 1 << 20) == -1, "memory that was never touched");
  CHECK(probe_nonzero(zeroed, 1 << 20) == -1, "memory that was zeroed");
  CHECK(probe_compare(constant, 1 << 16, 2) == -1, "read-only memory");
  written_only[5] = 1;
  mprotect(written_only, 1 << 16, PROT_READ | PROT_WRITE);
  written_only[5] = ((char *)(uint64_t[]){3 * 0x9e3779b97f4a7c15ull})[5];
  CHECK(probe_compare(written_only, 1 << 16, 3) == -1, "write-only memory");
  CHECK(mprotect(dense, dense_bytes, PROT_READ | PROT_WRITE) == 0, "mprotect of the whole");
  probe_fill(dense, dense_bytes, 99);
  CHECK(munmap(dense, dense_bytes) == 0 && munmap(sparse, sparse_bytes) == 0, "munmap");
  return probe_ok();
}
