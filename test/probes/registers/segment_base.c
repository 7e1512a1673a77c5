// A thread's own GS base stays; FS (thread-local storage) is what every other probe uses.
// sabotage: register 0 gs_base
// bits: 64 only
#include "../probe.h"
#include <asm/prctl.h>

static uint64_t block[4] = {1, 2, 0x5eed5eed5eed5eedull, 4};

static uint64_t through_gs(void) {
  uint64_t value;
  __asm__ volatile("mov %%gs:16, %0" : "=r"(value));
  return value;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, block) == 0, "arch_prctl");
  CHECK(through_gs() == block[2], "GS does not work here");
  probe_hold();
  uint64_t base = 0;
  CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0 && base == (uint64_t)(uintptr_t)block, "GS base is %llx", (unsigned long long)base);
  CHECK(through_gs() == block[2], "memory through GS is wrong");
  return probe_ok();
}
