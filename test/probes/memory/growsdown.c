// A MAP_GROWSDOWN mapping of the program's own still grows.
// sabotage: call munmap @low 4096
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t page = 4096;
  // A hole just large enough, so that nobody else's mapping comes to lie within the kernel's guard gap.
  char *room = (char *)mmap(NULL, 4096 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(room + 3800 * page, 296 * page);
  char *stack = (char *)mmap(room + 4080 * page, 16 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
  CHECK(stack != MAP_FAILED, "mmap");
  probe_fill(stack, 16 * page, 6);
  for (int i = 1; i <= 8; i++) stack[-i * (long)page] = (char)i;
  probe_note("low", (uint64_t)(uintptr_t)stack);
  probe_hold();
  CHECK(probe_compare(stack, 16 * page, 6) == -1, "content");
  for (int i = 1; i <= 8; i++) CHECK(stack[-i * (long)page] == (char)i, "content that grew, %d", i);
  for (int i = 9; i <= 40; i++) stack[-i * (long)page] = (char)i;
  for (int i = 9; i <= 40; i++) CHECK(stack[-i * (long)page] == (char)i, "growth, %d", i);
  return probe_ok();
}
