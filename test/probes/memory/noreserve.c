// One terabyte reserved with MAP_NORESERVE and touched in a few places costs neither time nor disk.
// sabotage: poke @far
// bits: 64 only
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t bytes = 1ull << 40, step = bytes / 16;
  char *area = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) SKIP("no room for 1 TB of addresses");
  for (size_t i = 0; i < 16; i++) probe_fill(area + i * step + i * 4096, 8192, i);
  probe_note("far", (uint64_t)(uintptr_t)area + 13 * step + 13 * 4096 + 8);
  probe_hold();
  for (size_t i = 0; i < 16; i++) {
    CHECK(probe_compare(area + i * step + i * 4096, 8192, i) == -1, "content at %zu/16", i);
    CHECK(probe_nonzero(area + i * step + i * 4096 + 8192, 8192) == -1, "memory beside the content at %zu/16", i);
  }
  probe_fill(area + step / 2, 1 << 20, 9);
  CHECK(munmap(area, bytes) == 0, "munmap");
  return probe_ok();
}
