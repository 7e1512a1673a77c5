// Resource limits are kept, soft and hard, the one on open files included.
// sabotage: call setrlimit 7 @other
#define _FILE_OFFSET_BITS 64
#include "../probe.h"
#include <sys/resource.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct rlimit limit, before[RLIM_NLIMITS];
  static struct rlimit other = {64, 64};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max < 700 ? limit.rlim_max : 700;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
  limit = (struct rlimit){0, 0};
  CHECK(setrlimit(RLIMIT_CORE, &limit) == 0, "RLIMIT_CORE");
  getrlimit(RLIMIT_STACK, &limit);
  limit.rlim_cur = 6 << 20;
  CHECK(setrlimit(RLIMIT_STACK, &limit) == 0, "RLIMIT_STACK");
  limit = (struct rlimit){1ull << 40, 1ull << 41};
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "RLIMIT_FSIZE");
  for (int i = 0; i < RLIM_NLIMITS; i++) getrlimit(i, &before[i]);
  probe_note("other", (uint64_t)(uintptr_t)&other);
  probe_hold();
  for (int i = 0; i < RLIM_NLIMITS; i++) {
    CHECK(getrlimit(i, &limit) == 0, "getrlimit");
    CHECK(limit.rlim_cur == before[i].rlim_cur && limit.rlim_max == before[i].rlim_max, "limit %d is %llu of %llu, was %llu of %llu", i,
          (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max, (unsigned long long)before[i].rlim_cur, (unsigned long long)before[i].rlim_max);
  }
  return probe_ok();
}
