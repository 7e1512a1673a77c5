// Locked memory stays locked, transparent huge pages stay asked for.
// sabotage: call munlock @area 65536
// missing: mlock at a restart
#include "../probe.h"

static long status_kb(const char *field) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long value = -1;
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, field, strlen(field)) == 0) value = atol(line + strlen(field));
  if (file) fclose(file);
  return value;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char *area = (char *)mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_fill(area, 65536, 1);
  if (mlock(area, 65536) == -1) SKIP("mlock is not allowed");
  long locked = status_kb("VmLck:");
  char *huge = (char *)mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(huge, 8 << 20, MADV_HUGEPAGE);
  probe_fill(huge, 8 << 20, 2);
  probe_note("area", (uint64_t)(uintptr_t)area);
  probe_hold();
  CHECK(probe_compare(area, 65536, 1) == -1 && probe_compare(huge, 8 << 20, 2) == -1, "content");
  CHECK(status_kb("VmLck:") == locked, "%ld KB are locked, were %ld", status_kb("VmLck:"), locked);
  return probe_ok();
}
