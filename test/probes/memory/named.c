// Anonymous memory that the program gave a name keeps it; shared memory with a name keeps its content.
// sabotage: poke @byte
#include <sys/prctl.h>

#include "../probe.h"
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static int shown(const void *start, const char *name) {
  char line[512], prefix[32];
  snprintf(prefix, sizeof prefix, "%lx-", (unsigned long)(uintptr_t)start);
  FILE *maps = fopen("/proc/self/maps", "r");
  int found = 0;
  while (maps && fgets(line, sizeof line, maps))
    if (strncmp(line, prefix, strlen(prefix)) == 0) found = strstr(line, name) != NULL;
  if (maps) fclose(maps);
  return found;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  size_t size = 64 * 1024;
  char *own = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *shared = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(own != MAP_FAILED && shared != MAP_FAILED, "mmap");
  if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, own, size, "probe: own") != 0) SKIP("this kernel has no names for memory");
  CHECK(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, shared, size, "probe: shared") == 0, "prctl");
  probe_fill(own, size, 1);
  probe_fill(shared, size, 2);
  CHECK(shown(own, "[anon:probe: own]"), "no name is shown");
  probe_note("byte", (uint64_t)(uintptr_t)own + 777);
  probe_hold();
  CHECK(shown(own, "[anon:probe: own]"), "the name is gone");
  CHECK(probe_compare(own, size, 1) == -1 && probe_compare(shared, size, 2) == -1, "content");
  return probe_ok();
}
