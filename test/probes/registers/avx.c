// The upper halves of all AVX registers (sixteen, or eight in a 32-bit program) are live in a spinning thread while the checkpoint comes.
// sabotage: xstate 1 576
// bits: 64, 32
#include "../probe.h"

static volatile int stop, started;
#ifdef __x86_64__
#define COUNT 16
#define UPPER(X) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define UPPER_CLOBBERED , "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#else
#define COUNT 8
#define UPPER(X)
#define UPPER_CLOBBERED
#endif
static uint8_t before[COUNT][32] __attribute__((aligned(64))), after[COUNT][32] __attribute__((aligned(64)));

#define LOAD(n) "vmovdqa " PROBE_TEXT(n) "*32(%[in]), %%ymm" #n "\n\t"
#define STORE(n) "vmovdqa %%ymm" #n ", " PROBE_TEXT(n) "*32(%[out])\n\t"
#define ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) UPPER(X)

__attribute__((target("avx"))) static void *spin(void *argument) {
  probe_fill(before, sizeof before, 5);
  started = 1;
  __asm__ volatile(ALL(LOAD) "1: pause\n\t cmpl $0, %[stop]\n\t je 1b\n\t" ALL(STORE) "vzeroupper\n\t"
                   :
                   : [in] "r"(before), [out] "r"(after), [stop] "m"(stop)
                   : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7" UPPER_CLOBBERED, "memory", "cc");
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  if (!__builtin_cpu_supports("avx")) SKIP("processor without AVX");
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, spin, NULL) == 0, "pthread_create");
  WAIT_UNTIL(started, "the spinning thread did not start");
  probe_sleep_ms(10);
  probe_hold();
  stop = 1;
  pthread_join(thread, NULL);
  for (int i = 0; i < COUNT; i++) CHECK(memcmp(before[i], after[i], 32) == 0, "ymm%d changed", i);
  return probe_ok();
}
