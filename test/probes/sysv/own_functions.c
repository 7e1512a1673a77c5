// A program with an shmat, shmdt and getpid of its own, which make the system calls by syscall(2), as libraries do that look at what
// others call: Cairn calls its own functions, and never theirs.
// sabotage: poke @memory
#include "../probe.h"
#include <sys/ipc.h>
#include <sys/shm.h>

static int attached;

void *shmat(int id, const void *address, int flags) {
  attached++;
  return (void *)syscall(SYS_shmat, id, address, flags);
}

int shmdt(const void *address) { return (int)syscall(SYS_shmdt, address); }

pid_t getpid(void) { return (pid_t)syscall(SYS_getpid); }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid_t pid = getpid();
  int id = shmget(IPC_PRIVATE, 65536, 0600);
  CHECK(id != -1, "shmget");
  char *memory = (char *)shmat(id, NULL, 0);
  CHECK(memory != (char *)-1 && attached == 1, "shmat, %d calls", attached);
  CHECK(shmctl(id, IPC_RMID, NULL) == 0, "removal");
  probe_fill(memory, 65536, 1);
  probe_note("memory", (uint64_t)(uintptr_t)memory);
  probe_hold();
  CHECK(probe_compare(memory, 65536, 1) == -1, "content at %ld", probe_compare(memory, 65536, 1));
  CHECK(getpid() == pid, "the process is called %d, before %d", getpid(), pid);
  CHECK(shmdt(memory) == 0 && attached == 1, "shmdt");
  return probe_ok();
}
