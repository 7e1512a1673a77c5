// Pages without access stay so, and what had been written to them before comes back when they are opened.
// sabotage: call mprotect @guard 4096 3
#include "../probe.h"
#include "faults.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  signal(SIGSEGV, on_fault);
  const size_t page = 4096;
  char *area = (char *)mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_fill(area, 64 * page, 8);
  mprotect(area + 10 * page, page, PROT_NONE);
  mprotect(area + 30 * page, 20 * page, PROT_NONE);
  char *reserved = (char *)mmap(NULL, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_note("guard", (uint64_t)(uintptr_t)area + 10 * page);
  probe_hold();
  CHECK(faults(area + 10 * page) && faults(area + 30 * page) && faults(area + 49 * page), "a guard page is open");
  CHECK(!faults(area + 9 * page) && !faults(area + 11 * page) && !faults(area + 50 * page), "a page beside a guard is closed");
  CHECK(faults(reserved) && faults(reserved + (1 << 29)), "reserved memory is open");
  mprotect(area, 64 * page, PROT_READ | PROT_WRITE);
  CHECK(probe_compare(area, 64 * page, 8) == -1, "content below the guards at %ld", probe_compare(area, 64 * page, 8));
  CHECK(mprotect(reserved + (1 << 29), 1 << 20, PROT_READ | PROT_WRITE) == 0, "mprotect in reserved memory");
  CHECK(probe_nonzero(reserved + (1 << 29), 1 << 20) == -1, "fresh memory is not zero");
  return probe_ok();
}
