// Forty thousand small islands of content in memory that was never touched: more than a process may have mappings.
// sabotage: poke @one
#include "../probe.h"

enum { COUNT = 40000, PAGE = 4096, STRIDE = 4 * PAGE };

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char *area = (char *)mmap(NULL, (size_t)COUNT * STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(area != MAP_FAILED, "mmap");
  madvise(area, (size_t)COUNT * STRIDE, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < COUNT; i++) {
    *(size_t *)(area + i * STRIDE) = i + 1;
    *(size_t *)(area + i * STRIDE + PAGE) = i + 2;
  }
  probe_note("one", (uint64_t)(uintptr_t)area + (size_t)555 * STRIDE);
  probe_hold();
  for (size_t i = 0; i < COUNT; i++) {
    CHECK(*(size_t *)(area + i * STRIDE) == i + 1 && *(size_t *)(area + i * STRIDE + PAGE) == i + 2, "island %zu", i);
    CHECK(*(size_t *)(area + i * STRIDE + 2 * PAGE) == 0, "between islands %zu", i);
  }
  return probe_ok();
}
