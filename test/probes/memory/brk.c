// The heap of brk(2) is where it was and grows and shrinks afterwards; the kernel and libc agree on its end.
// sabotage: call brk @start
// attached: not as it was: libcairn.so is loaded by the program's malloc
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char *start = (char *)sbrk(0);
  CHECK(sbrk(1 << 20) == start, "sbrk");
  probe_fill(start, 1 << 20, 21);
  probe_note("start", (uint64_t)(uintptr_t)start);
  probe_hold();
  CHECK(sbrk(0) == start + (1 << 20), "the break is %p, was %p", sbrk(0), (void *)(start + (1 << 20)));
  CHECK((char *)syscall(SYS_brk, 0) == start + (1 << 20), "the kernel's break is %lx", syscall(SYS_brk, 0));
  CHECK(probe_compare(start, 1 << 20, 21) == -1, "content of the heap");
  CHECK(sbrk(4 << 20) == start + (1 << 20), "the heap does not grow");
  CHECK(probe_nonzero(start + (1 << 20), 4 << 20) == -1, "the heap grew by memory that is not zero");
  probe_fill(start, 5 << 20, 22);
  CHECK(sbrk(-(4 << 20)) == start + (5 << 20), "the heap does not shrink");
  CHECK(sbrk(1 << 20) == start + (1 << 20) && probe_nonzero(start + (1 << 20), 1 << 20) == -1, "memory given back is not zero");
  CHECK(probe_compare(start, 1 << 20, 22) == -1, "content after shrinking");
  return probe_ok();
}
