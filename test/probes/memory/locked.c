// Locked memory stays locked (also such that is locked as it is touched), huge pages stay asked for or refused, and what else
// was said of memory by madvise.
// sabotage: call munlock @area 65536
#include "../probe.h"

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

static long status_kb(const char *field) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long value = -1;
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, field, strlen(field)) == 0) value = atol(line + strlen(field));
  if (file) fclose(file);
  return value;
}

// Bytes of [start, start + size) that have the flag in smaps, and those that are resident.
static size_t with_flag(const char *start, size_t size, const char *flag, size_t *resident) {
  FILE *file = fopen("/proc/self/smaps", "r");
  char line[512];
  unsigned long from = 0, to = 0, first = (unsigned long)start, end = first + size, rss = 0;
  size_t found = 0;
  *resident = 0;
  while (file && fgets(line, sizeof line, file)) {
    unsigned long a, b;
    if (sscanf(line, "%lx-%lx ", &a, &b) == 2) from = a, to = b;
    if (sscanf(line, "Rss: %lu kB", &a) == 1) rss = a * 1024;
    if (strncmp(line, "VmFlags:", 8) != 0 || to <= first || from >= end) continue;
    *resident += rss;
    if (strstr(line, flag)) found += (to < end ? to : end) - (from > first ? from : first);
  }
  if (file) fclose(file);
  return found;
}

struct advised {
  int advice;
  const char *flag;
  char *area;
  int known;
};
static struct advised advised[] = {
    {MADV_HUGEPAGE, " hg", NULL, 0},   {MADV_NOHUGEPAGE, " nh", NULL, 0}, {MADV_DONTDUMP, " dd", NULL, 0},
    {MADV_SEQUENTIAL, " sr", NULL, 0}, {MADV_RANDOM, " rr", NULL, 0},     {MADV_MERGEABLE, " mg", NULL, 0},
};
enum { kinds = sizeof advised / sizeof advised[0], large = 8 << 20 };

static char *area_of(size_t bytes) {
  // An inaccessible page at its end keeps it apart from its neighbours.
  char *area = (char *)mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(area != MAP_FAILED, "mmap");
  mprotect(area + bytes, 4096, PROT_NONE);
  return area;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char *area = area_of(65536);
  probe_fill(area, 65536, 1);
  if (mlock(area, 65536) == -1) SKIP("mlock is not allowed");
  char *lazy = area_of(1 << 20);
  lazy[8192] = 7;
  int on_fault = syscall(SYS_mlock2, lazy, 1 << 20, MLOCK_ONFAULT) == 0;
  size_t resident;
  for (int i = 0; i < kinds; i++) {
    advised[i].area = area_of(large);
    advised[i].known = madvise(advised[i].area, large, advised[i].advice) == 0 &&
                       with_flag(advised[i].area, large, advised[i].flag, &resident) == large;
    probe_fill(advised[i].area, large / 2, (uint64_t)i);
  }
  long locked = status_kb("VmLck:");
  probe_note("area", (uint64_t)(uintptr_t)area);
  probe_hold();
  CHECK(probe_compare(area, 65536, 1) == -1, "content");
  CHECK(status_kb("VmLck:") == locked, "%ld KB are locked, were %ld", status_kb("VmLck:"), locked);
  CHECK(with_flag(area, 65536, " lo", &resident) == 65536 && resident == 65536, "the area is not locked, or not there");
  if (on_fault) {
    CHECK(with_flag(lazy, 1 << 20, " lo", &resident) == 1 << 20, "the area to be locked as it is touched is not");
    CHECK(resident < 1 << 19, "%zu bytes are there before they were touched", resident);
    CHECK(lazy[8192] == 7 && lazy[4096] == 0, "its content");
  }
  for (int i = 0; i < kinds; i++) {
    if (!advised[i].known) continue;
    CHECK(probe_compare(advised[i].area, large / 2, (uint64_t)i) == -1, "content of%s", advised[i].flag);
    size_t bytes = with_flag(advised[i].area, large, advised[i].flag, &resident);
    CHECK(bytes == large, "%zu of %d bytes have%s", bytes, large, advised[i].flag);
    CHECK(with_flag(area, 65536, advised[i].flag, &resident) == 0, "other memory has%s", advised[i].flag);
  }
  return probe_ok();
}
