// Guard regions (MADV_GUARD_INSTALL, Linux 6.13): what is in them stays closed, what is beside them keeps its content, and they can be opened.
// sabotage: poke @beside
// bits: 64, 32
#include "../probe.h"
#include "faults.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

int main(int argc, char **argv) {
  probe_init(argc, argv);
  signal(SIGSEGV, on_fault);
  const size_t page = 4096;
  char *area = (char *)mmap(NULL, 600 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_fill(area, 600 * page, 9);
  // Of a page, at the start, of many pages, and of a whole table of pages.
  if (madvise(area, page, MADV_GUARD_INSTALL) != 0 && errno == EINVAL) SKIP("this kernel has no guard regions");
  CHECK(madvise(area + 10 * page, page, MADV_GUARD_INSTALL) == 0 && madvise(area + 30 * page, 20 * page, MADV_GUARD_INSTALL) == 0, "madvise");
  char *closed = (char *)mmap(NULL, 1025 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(madvise(closed, 1025 * page, MADV_GUARD_INSTALL) == 0, "madvise");
  // Linux 6.15 has them in shared memory, too; they are this mapping's alone, and the content below stays.
  char *shared = (char *)mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  probe_fill(shared, 64 * page, 10);
  int in_shared = madvise(shared + 20 * page, 10 * page, MADV_GUARD_INSTALL) == 0;
  probe_note("beside", (uint64_t)(uintptr_t)area + 11 * page);
  probe_hold();
  CHECK(faults(area) && faults(area + 10 * page) && faults(area + 30 * page) && faults(area + 49 * page), "a guard region is open");
  CHECK(!faults(area + 9 * page) && !faults(area + 11 * page) && !faults(area + 50 * page), "a page beside a guard region is closed");
  CHECK(faults(closed) && faults(closed + 700 * page) && faults(closed + 1024 * page), "a mapping that is all guard region is open");
  if (in_shared) {
    CHECK(faults(shared + 20 * page) && faults(shared + 29 * page) && !faults(shared + 30 * page), "a guard region in shared memory");
    CHECK(madvise(shared + 20 * page, 10 * page, MADV_GUARD_REMOVE) == 0, "opening it");
  }
  CHECK(probe_compare(shared, 64 * page, 10) == -1, "content of shared memory at %ld", probe_compare(shared, 64 * page, 10));
  CHECK(madvise(area, page, MADV_GUARD_REMOVE) == 0 && madvise(area + 10 * page, page, MADV_GUARD_REMOVE) == 0 &&
            madvise(area + 30 * page, 20 * page, MADV_GUARD_REMOVE) == 0 && madvise(closed, 1025 * page, MADV_GUARD_REMOVE) == 0,
        "opening them");
  CHECK(probe_nonzero(area + 30 * page, 20 * page) == -1 && probe_nonzero(closed, 1025 * page) == -1, "an opened region is not zero");
  char *expected = (char *)mmap(NULL, 600 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_fill(expected, 600 * page, 9);
  memset(expected, 0, page);
  memset(expected + 10 * page, 0, page);
  memset(expected + 30 * page, 0, 20 * page);
  CHECK(memcmp(area, expected, 600 * page) == 0, "content beside the guard regions");
  // The same anew, in memory that a restart has brought back: its content is gone then.
  CHECK(madvise(area + 100 * page, 300 * page, MADV_GUARD_INSTALL) == 0, "madvise after it");
  CHECK(faults(area + 200 * page) && !faults(area + 400 * page), "a guard region that came later");
  CHECK(madvise(area + 100 * page, 300 * page, MADV_GUARD_REMOVE) == 0, "opening it");
  CHECK(probe_nonzero(area + 100 * page, 300 * page) == -1, "content of before is in an opened region");
  return probe_ok();
}
