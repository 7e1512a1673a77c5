// Pages directly beside every mapping without a file, of which the kernel may make one with it: also beside what Cairn has.
// sabotage: poke @page
#include "../probe.h"

enum { MOST = 128 };
static void *pages[MOST];
static int count;

static void map_at(uint64_t at, int flags) {
  void *page = mmap((void *)at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | flags, -1, 0);
  if (page == MAP_FAILED || count == MOST) return;
  probe_fill(page, 4096, (uint64_t)count);
  pages[count++] = page;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static char text[1 << 16];
  int fd = open("/proc/self/maps", O_RDONLY);
  size_t size = 0;
  for (ssize_t got; size < sizeof text - 1 && (got = read(fd, text + size, sizeof text - 1 - size)) > 0;) size += (size_t)got;
  close(fd);
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    unsigned long start, end;
    int length = 0;
    // Without reserved swap space, as Cairn's own memory and that of many run-time systems.
    if (sscanf(line, "%lx-%lx rw-p 00000000 00:00 0 %n", &start, &end, &length) < 2 || length == 0 || line[length]) continue;
    map_at(start - 4096, MAP_NORESERVE);
    map_at(end, MAP_NORESERVE);
  }
  CHECK(count > 0, "no page lies beside anything");
  probe_note("page", (uint64_t)(uintptr_t)pages[0]);
  probe_hold();
  for (int i = 0; i < count; i++) {
    CHECK(probe_compare(pages[i], 4096, (uint64_t)i) == -1, "content of page %d", i);
    CHECK(munmap(pages[i], 4096) == 0, "munmap");
  }
  return probe_ok();
}
