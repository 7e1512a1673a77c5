// Memory that a fork would not copy (MADV_DONTFORK, MADV_WIPEONFORK) is in the snapshot nevertheless, and keeps its advice.
// sabotage: poke @kept
#include "../probe.h"

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

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t bytes = 1 << 18;
  char *kept = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *wiped = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *not_dumped = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_fill(kept, bytes, 71);
  probe_fill(wiped, bytes, 72);
  probe_fill(not_dumped, bytes, 73);
  CHECK(madvise(kept, bytes, MADV_DONTFORK) == 0 && madvise(wiped, bytes, MADV_WIPEONFORK) == 0 && madvise(not_dumped, bytes, MADV_DONTDUMP) == 0, "madvise");
  probe_note("kept", (uint64_t)(uintptr_t)kept + 1000);
  probe_hold();
  CHECK(probe_compare(kept, bytes, 71) == -1, "MADV_DONTFORK memory");
  CHECK(probe_compare(wiped, bytes, 72) == -1, "MADV_WIPEONFORK memory");
  CHECK(probe_compare(not_dumped, bytes, 73) == -1, "MADV_DONTDUMP memory");
  CHECK(has_flag(kept, " dc"), "MADV_DONTFORK was forgotten");
  CHECK(has_flag(wiped, " wf"), "MADV_WIPEONFORK was forgotten");
  CHECK(has_flag(not_dumped, " dd"), "MADV_DONTDUMP was forgotten");
  return probe_ok();
}
