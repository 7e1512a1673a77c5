// membarrier(2): a process registers once for barriers that it then relies on, also in a child. Without that they fail (EPERM).
// bits: 64, 32
// sabotage: poke @told
#include "../probe.h"
#include <linux/membarrier.h>
#include <sys/wait.h>

static long barrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

static void check_all(const char *whose) {
  CHECK(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0, "%s: a private barrier", whose);
  CHECK(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) == 0, "%s: a barrier of instructions", whose);
  CHECK(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) == 0, "%s: a barrier of restartable sequences", whose);
  CHECK(barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) == 0, "%s: a barrier of all that are registered", whose);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  // What the kernel has told of this process; with a kernel that does not tell, always the same.
  static long registered;
  probe_note("told", (uint64_t)(uintptr_t)&registered);
  long known = barrier(MEMBARRIER_CMD_QUERY);
  long needed = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ;
  if (known < 0 || (known & needed) != needed) SKIP("no membarrier(2) of all kinds here");
  int go[2];
  CHECK(pipe(go) == 0, "pipe");
  // Each process by itself.
  pid_t child = fork();
  if (child == 0) probe_end_with_parent();
  CHECK(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0, "registering");
  CHECK(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE) == 0, "registering for instructions");
  CHECK(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ) == 0, "registering for restartable sequences");
  CHECK(barrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0, "registering for all");
  if (child == 0) {
    char byte;
    CHECK(read(go[0], &byte, 1) == 1, "the child reads");
    check_all("the child");
    _exit(0);
  }
  registered = barrier(1 << 9);  // MEMBARRIER_CMD_GET_REGISTRATIONS
  probe_hold();
  check_all("the probe");
  CHECK(barrier(1 << 9) == registered, "it is registered for %lx, and was for %lx", barrier(1 << 9), registered);
  CHECK(write(go[1], "x", 1) == 1, "write");
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %x", status);
  return probe_ok();
}
