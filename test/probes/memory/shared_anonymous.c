// Shared anonymous memory keeps its content and is still shared with children of the program.
// sabotage: poke @shared
#include "../probe.h"
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t bytes = 1 << 20;
  char *shared = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *closed = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED && closed != MAP_FAILED, "mmap");
  probe_fill(shared, bytes / 2, 3);
  probe_fill(closed, bytes, 4);
  mprotect(closed, bytes, PROT_NONE);
  probe_note("shared", (uint64_t)(uintptr_t)shared + 4096);
  probe_hold();
  CHECK(probe_compare(shared, bytes / 2, 3) == -1, "content at %ld", probe_compare(shared, bytes / 2, 3));
  CHECK(probe_nonzero(shared + bytes / 2, bytes / 2) == -1, "the part that was never touched");
  mprotect(closed, bytes, PROT_READ | PROT_WRITE);
  CHECK(probe_compare(closed, bytes, 4) == -1, "content below PROT_NONE");
  pid_t child = fork();
  if (child == 0) {
    shared[123] = 77;
    _exit(0);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0, "fork and wait: status %x", (unsigned)status);
  CHECK(shared[123] == 77, "memory is no longer shared with a child");
  return probe_ok();
}
