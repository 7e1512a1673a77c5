// The main thread's stack keeps its content and still grows on demand, to its limit, after the checkpoint.
// sabotage: poke @frame
#include "../probe.h"
#include <sys/resource.h>

__attribute__((noinline)) static long deep(int left) {
  volatile char frame[8192];
  for (int i = 0; i < 8192; i += 512) frame[i] = (char)(left + i);
  long sum = left > 0 ? deep(left - 1) : 0;
  for (int i = 0; i < 8192; i += 512)
    if (frame[i] != (char)(left + i)) return -1;
  return sum < 0 ? sum : sum + 1;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  uint64_t frame[4096];
  probe_fill(frame, sizeof frame, 12);
  probe_note("frame", (uint64_t)(uintptr_t)&frame[100]);
  CHECK(deep(20) == 21, "recursion before");
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  probe_hold();
  CHECK(probe_compare(frame, sizeof frame, 12) == -1, "the stack's content");
  int frames = limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > (8 << 20) ? 900 : (int)(limit.rlim_cur / 8192 * 7 / 8);
  CHECK(deep(frames) == frames + 1, "deep recursion");
  return probe_ok();
}
