// Orphans that end while a checkpoint begins, with their parents: a subreaper waits for each of them, whoever had not been seen at its
// stop among them, and nobody else: not what Cairn had made for a process that ended.
// sabotage: poke @first
#include "../probe.h"
#include <sys/prctl.h>
#include <sys/wait.h>

enum { PAIRS = 6 };
static volatile int first = 40;  // status of the first orphan of each pair

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "PR_SET_CHILD_SUBREAPER");
  probe_note("first", (uint64_t)(uintptr_t)&first);
  probe_ready();
  for (unsigned round = 0, last = 4; last > 0; round++, last -= (unsigned)probe_poll()) {
    for (int i = 0; i < PAIRS; i++) {
      if (fork() != 0) continue;
      for (int j = 0; j < 2; j++) {
        if (fork() != 0) continue;
        probe_sleep_ms(1 + (i + j + (int)round) % 5);
        _exit(40 + j);
      }
      probe_sleep_ms((i + (int)round) % 4);
      _exit(20);
    }
    int parents = 0, orphans[2] = {0, 0}, status;
    while (parents + orphans[0] + orphans[1] < 3 * PAIRS) {
      CHECK(wait(&status) > 0, "of %d parents there are %d, of their children %d and %d", PAIRS, parents, orphans[0], orphans[1]);
      CHECK(WIFEXITED(status), "status %x", (unsigned)status);
      int code = WEXITSTATUS(status);
      CHECK(code == 20 || code == first || code == first + 1, "status %d", code);
      if (code == 20) parents++;
      else orphans[code - first]++;
    }
    CHECK(parents == PAIRS && orphans[0] == PAIRS && orphans[1] == PAIRS, "%d parents, %d and %d orphans", parents, orphans[0], orphans[1]);
    while (wait(&status) > 0) CHECK(0, "another child, status %x", (unsigned)status);
  }
  return probe_ok();
}
