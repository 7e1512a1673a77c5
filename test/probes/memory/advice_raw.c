// madvise and mremap by syscall(2): what is advised keeps its effect (no copy in a fork, wiped in a fork, huge pages, order of access, no
// dump, merging), and what is discarded or moved after a restart is as anonymous memory is.
// sabotage: poke @kept
#include "../probe.h"
#include <sys/wait.h>

enum { PAGES = 64, BYTES = PAGES * 4096, KINDS = 8 };
static const struct {
  int advice;
  const char *flag;
} kinds[KINDS] = {
    {MADV_DONTFORK, " dc"},  {MADV_WIPEONFORK, " wf"}, {MADV_DONTDUMP, " dd"}, {MADV_HUGEPAGE, " hg"},
    {MADV_NOHUGEPAGE, " nh"}, {MADV_SEQUENTIAL, " sr"}, {MADV_RANDOM, " rr"},   {MADV_MERGEABLE, " mg"},
};

static int has_flag(void *address, const char *flag) {
  FILE *file = fopen("/proc/self/smaps", "r");
  char line[512];
  int inside = 0, found = 0;
  while (file && fgets(line, sizeof line, file)) {
    unsigned long start, end;
    char dash;
    if (sscanf(line, "%lx%c%lx", &start, &dash, &end) == 3 && dash == '-') inside = start <= (uintptr_t)address && (uintptr_t)address < end;
    if (inside && strncmp(line, "VmFlags:", 8) == 0) found = strstr(line, flag) != NULL;
  }
  if (file) fclose(file);
  return found;
}
static char *some(uint64_t seed) {
  char *memory = (char *)mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED, "mmap");
  probe_fill(memory, BYTES, seed);
  return memory;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char *advised[KINDS];
  int known[KINDS];
  for (int i = 0; i < KINDS; i++) {
    advised[i] = some(80 + (uint64_t)i);
    // Kernels may be built without huge pages or merging.
    known[i] = syscall(SYS_madvise, advised[i], BYTES, kinds[i].advice) == 0 && has_flag(advised[i], kinds[i].flag);
    CHECK(known[i] || i > 2, "madvise %d", kinds[i].advice);
  }
  char *discarded = some(91), *moved = some(92);
  probe_note("kept", (uint64_t)(uintptr_t)advised[0] + 4096);
  probe_hold();
  for (int i = 0; i < KINDS; i++) {
    CHECK(probe_compare(advised[i], BYTES, 80 + (uint64_t)i) == -1, "memory with advice %d", kinds[i].advice);
    CHECK(!known[i] || has_flag(advised[i], kinds[i].flag), "advice %d was forgotten", kinds[i].advice);
  }
  pid_t child = fork();
  if (child == 0) {
    unsigned char resident;
    _exit(mincore(advised[0], 4096, &resident) == 0 ? 1 : probe_nonzero(advised[1], BYTES) != -1 ? 2 : 0);
  }
  int status = 0;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0, "in a child the advice does not hold (%x)", status);
  CHECK(syscall(SYS_madvise, discarded + 4096, BYTES - 8192, MADV_DONTNEED) == 0, "MADV_DONTNEED");
  CHECK(probe_nonzero(discarded + 4096, BYTES - 8192) == -1, "what was discarded is not zero");
  char *place = (char *)syscall(SYS_mremap, moved, BYTES, 2 * BYTES, MREMAP_MAYMOVE, 0);
  CHECK(place != MAP_FAILED && probe_compare(place, BYTES, 92) == -1, "what was moved");
  CHECK(probe_nonzero(place + BYTES, BYTES) == -1, "what was added is not zero");
  return probe_ok();
}
