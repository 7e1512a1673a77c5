// Twenty thousand small mappings of alternating protection.
// sabotage: poke @one
#include "../probe.h"

enum { COUNT = 20000 };

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t page = 4096;
  char *area = (char *)mmap(NULL, COUNT * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(area != MAP_FAILED, "mmap");
  for (size_t i = 0; i < COUNT; i += 5) *(size_t *)(area + i * page) = i + 1;
  for (size_t i = 0; i < COUNT; i += 2) CHECK(mprotect(area + i * page, page, i % 4 ? PROT_READ : PROT_NONE) == 0, "mprotect %zu", i);
  probe_note("one", (uint64_t)(uintptr_t)area + 555 * page);
  probe_hold();
  CHECK(mprotect(area, COUNT * page, PROT_READ | PROT_WRITE) == 0, "mprotect of all");
  for (size_t i = 0; i < COUNT; i++) CHECK(*(size_t *)(area + i * page) == (i % 5 ? 0 : i + 1), "page %zu", i);
  return probe_ok();
}
