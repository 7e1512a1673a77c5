// SSE registers, MXCSR, the x87 stack and its control word are live in a spinning thread while the checkpoint comes.
// sabotage: xstate 1 160
// bits: 64, 32
#include "../probe.h"

static volatile int stop, started;
#ifdef __x86_64__
#define COUNT 16
#define UPPER(text) text
#define UPPER_CLOBBERED , "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#else
#define COUNT 8
#define UPPER(text)
#define UPPER_CLOBBERED
#endif
static uint8_t before[COUNT][16], after[COUNT][16];
static uint32_t mxcsr_after;
static uint16_t x87_control_after;
static double x87_after[2];

__attribute__((target("sse2"))) static void *spin(void *argument) {
  uint32_t mxcsr = 0x1f80 | 0x6000;  // round toward zero
  uint16_t control = 0x037f | 0x0c00;
  double one = 1.25, two = -7.5;
  probe_fill(before, sizeof before, 3);
  started = 1;
  __asm__ volatile(
      "ldmxcsr %[mxcsr]\n\t fldcw %[control]\n\t fldl %[two]\n\t fldl %[one]\n\t"
      "movdqu 0(%[in]), %%xmm0\n\t movdqu 16(%[in]), %%xmm1\n\t movdqu 32(%[in]), %%xmm2\n\t movdqu 48(%[in]), %%xmm3\n\t"
      "movdqu 64(%[in]), %%xmm4\n\t movdqu 80(%[in]), %%xmm5\n\t movdqu 96(%[in]), %%xmm6\n\t movdqu 112(%[in]), %%xmm7\n\t"
      UPPER("movdqu 128(%[in]), %%xmm8\n\t movdqu 144(%[in]), %%xmm9\n\t movdqu 160(%[in]), %%xmm10\n\t movdqu 176(%[in]), %%xmm11\n\t"
            "movdqu 192(%[in]), %%xmm12\n\t movdqu 208(%[in]), %%xmm13\n\t movdqu 224(%[in]), %%xmm14\n\t movdqu 240(%[in]), %%xmm15\n\t")
      "1: pause\n\t cmpl $0, %[stop]\n\t je 1b\n\t"
      "movdqu %%xmm0, 0(%[out])\n\t movdqu %%xmm1, 16(%[out])\n\t movdqu %%xmm2, 32(%[out])\n\t movdqu %%xmm3, 48(%[out])\n\t"
      "movdqu %%xmm4, 64(%[out])\n\t movdqu %%xmm5, 80(%[out])\n\t movdqu %%xmm6, 96(%[out])\n\t movdqu %%xmm7, 112(%[out])\n\t"
      UPPER("movdqu %%xmm8, 128(%[out])\n\t movdqu %%xmm9, 144(%[out])\n\t movdqu %%xmm10, 160(%[out])\n\t movdqu %%xmm11, 176(%[out])\n\t"
            "movdqu %%xmm12, 192(%[out])\n\t movdqu %%xmm13, 208(%[out])\n\t movdqu %%xmm14, 224(%[out])\n\t movdqu %%xmm15, 240(%[out])\n\t")
      "stmxcsr %[mxcsr_after]\n\t fnstcw %[control_after]\n\t fstpl %[x87_one]\n\t fstpl %[x87_two]\n\t"
      : [mxcsr_after] "=m"(mxcsr_after), [control_after] "=m"(x87_control_after), [x87_one] "=m"(x87_after[0]), [x87_two] "=m"(x87_after[1])
      : [in] "r"(before), [out] "r"(after), [stop] "m"(stop), [mxcsr] "m"(mxcsr), [control] "m"(control), [one] "m"(one), [two] "m"(two)
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7" UPPER_CLOBBERED, "memory", "cc");
  uint32_t usual = 0x1f80;
  uint16_t usual_control = 0x037f;
  __asm__ volatile("ldmxcsr %0\n\t fldcw %1" : : "m"(usual), "m"(usual_control));
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, spin, NULL) == 0, "pthread_create");
  WAIT_UNTIL(started, "the spinning thread did not start");
  probe_sleep_ms(10);
  probe_hold();
  stop = 1;
  pthread_join(thread, NULL);
  for (int i = 0; i < COUNT; i++) CHECK(memcmp(before[i], after[i], 16) == 0, "xmm%d changed", i);
  CHECK((mxcsr_after & ~0x3fu) == (0x1f80 | 0x6000), "MXCSR is %x", mxcsr_after);
  CHECK(x87_control_after == (0x037f | 0x0c00), "x87 control word is %x", x87_control_after);
  CHECK(x87_after[0] == 1.25 && x87_after[1] == -7.5, "x87 stack holds %g and %g", x87_after[0], x87_after[1]);
  return probe_ok();
}
