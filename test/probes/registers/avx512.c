// All 32 AVX-512 registers and the eight mask registers are live in a spinning thread while the checkpoint comes.
// sabotage: xstate 1 1160
// bits: 64 only
// flags: -mavx512f -mavx512bw
#include "../probe.h"

static volatile int stop, started;
static uint8_t before[32][64] __attribute__((aligned(64))), after[32][64] __attribute__((aligned(64)));
static uint64_t masks_before[8], masks_after[8];

#define LOAD(n) "vmovdqa64 " PROBE_TEXT(n) "*64(%[in]), %%zmm" #n "\n\t"
#define STORE(n) "vmovdqa64 %%zmm" #n ", " PROBE_TEXT(n) "*64(%[out])\n\t"
#define LOAD_MASK(n) "kmovq " PROBE_TEXT(n) "*8(%[masks]), %%k" #n "\n\t"
#define STORE_MASK(n) "kmovq %%k" #n ", " PROBE_TEXT(n) "*8(%[masks_out])\n\t"
#define EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define ALL(X) EIGHT(X) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) \
  X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)

static void *spin(void *argument) {
  probe_fill(before, sizeof before, 7);
  probe_fill(masks_before, sizeof masks_before, 11);
  started = 1;
  __asm__ volatile(ALL(LOAD) EIGHT(LOAD_MASK) "1: pause\n\t cmpl $0, %[stop]\n\t je 1b\n\t" ALL(STORE) EIGHT(STORE_MASK)
                   "vzeroupper\n\t"
                   :
                   : [in] "r"(before), [out] "r"(after), [masks] "r"(masks_before), [masks_out] "r"(masks_after), [stop] "m"(stop)
                   : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                     "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",
                     "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
                     "memory", "cc");
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  if (!__builtin_cpu_supports("avx512bw")) SKIP("processor without AVX-512");
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, spin, NULL) == 0, "pthread_create");
  WAIT_UNTIL(started, "the spinning thread did not start");
  probe_sleep_ms(10);
  probe_hold();
  stop = 1;
  pthread_join(thread, NULL);
  for (int i = 0; i < 32; i++) CHECK(memcmp(before[i], after[i], 64) == 0, "zmm%d changed", i);
  for (int i = 0; i < 8; i++) CHECK(masks_before[i] == masks_after[i], "k%d changed", i);
  return probe_ok();
}
