// System V shared memory of one process: segments with and without a key, attached twice, read-only, in part, marked for removal,
// and attached nowhere, keep content, size, key, permissions, ids and places.
// alone: it counts and removes the objects of all runs
// sabotage: poke @keyed
#include "sysv.h"

#define SIZE 70001ul
#define FIRST_KEY 0x43a1

static int keyed, alone, doomed, parts;
static char *one, *two, *reads, *nameless, *pieces;

static void check(void) {
  struct shmid_ds status;
  SYSV_CHECK(probe_compare(one, 65536, 1) == -1, "content of the segment with a key at %ld", probe_compare(one, 65536, 1));
  one[8] = 77;
  SYSV_CHECK(two[8] == 77 && reads[8] == 77, "the attachments are no longer one segment");
  SYSV_CHECK(shmctl(keyed, IPC_STAT, &status) == 0, "shmctl of %d", keyed);
  SYSV_CHECK(status.shm_segsz == SIZE, "size %lu", (unsigned long)status.shm_segsz);
  SYSV_CHECK(status.shm_nattch == 3, "%lu attachments", (unsigned long)status.shm_nattch);
  SYSV_CHECK(status.shm_perm.mode == 0640, "mode %o", status.shm_perm.mode);
  SYSV_CHECK(status.shm_perm.__key == FIRST_KEY, "key %x", (unsigned)status.shm_perm.__key);
  SYSV_CHECK(status.shm_cpid == getpid(), "made by %d", status.shm_cpid);
  SYSV_CHECK(shmget(FIRST_KEY, 100, 0) == keyed, "the key gives another id");
  SYSV_CHECK(shmget(FIRST_KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600) == -1 && errno == EEXIST, "the key is free");
  SYSV_CHECK(shmget(FIRST_KEY, SIZE * 2, 0) == -1 && errno == EINVAL, "the key gives more than there is");
  SYSV_CHECK(mprotect(reads, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES, "the read-only attachment can be written");
  // Marked for removal: as long as it is attached.
  SYSV_CHECK(probe_compare(nameless, 65536, 2) == -1, "content of the segment that is to be removed");
  SYSV_CHECK(shmctl(doomed, IPC_STAT, &status) == 0 && (status.shm_perm.mode & SHM_DEST), "it is not marked for removal any more");
  SYSV_CHECK(shmdt(nameless) == 0, "shmdt");
  SYSV_CHECK(shmctl(doomed, IPC_STAT, &status) == -1 && (errno == EINVAL || errno == EIDRM), "it was not removed with its last attachment");
  // Attached nowhere, and made by the system call itself.
  SYSV_CHECK(syscall(SYS_shmctl, alone, IPC_STAT, &status) == 0 && status.shm_segsz == SIZE + 1, "shmctl by syscall");
  char *later = (char *)shmat(alone, NULL, 0);
  SYSV_CHECK(later != (char *)-1, "shmat of the segment that was attached nowhere");
  if (later != (char *)-1) SYSV_CHECK(probe_compare(later, 65536, 3) == -1, "its content");
  if (later != (char *)-1) SYSV_CHECK(probe_nonzero(later + 65536, SIZE + 1 - 65536) == -1, "its end");
  // In part, and with another protection in the middle.
  SYSV_CHECK(probe_compare(pieces + 4096, 4096, 4) == -1 && probe_compare(pieces + 4 * 4096, 4096, 5) == -1, "pieces of an attachment");
  SYSV_CHECK(mprotect(pieces + 4096, 4096, PROT_READ | PROT_WRITE) == 0, "a piece that was closed cannot be opened");
  SYSV_CHECK(shmdt(pieces) == 0, "shmdt of what is left in pieces");
  SYSV_CHECK(shmctl(parts, IPC_STAT, &status) == 0 && status.shm_nattch == 0, "shmdt left %lu pieces", (unsigned long)status.shm_nattch);
  SYSV_CHECK(shmdt(one) == 0 && shmdt(two) == 0 && shmdt(reads) == 0, "shmdt");
  // A key that is free again is free for the computation.
  SYSV_CHECK(shmctl(keyed, IPC_RMID, NULL) == 0, "removal");
  SYSV_CHECK(shmget(FIRST_KEY, SIZE, 0) == -1 && errno == ENOENT, "the key of the removed segment");
  int again = shmget(FIRST_KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
  SYSV_CHECK(again != -1 && again != alone && again != parts && shmget(FIRST_KEY, SIZE, 0) == again, "a new segment with the key");
  SYSV_CHECK(shmctl(again, IPC_RMID, NULL) == 0, "removal of the new one");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  sysv_remove_segments(SIZE, SIZE + 3);  // what a failed test has left
  keyed = shmget(FIRST_KEY, SIZE, IPC_CREAT | IPC_EXCL | 0640);
  alone = (int)syscall(SYS_shmget, IPC_PRIVATE, SIZE + 1, 0600);
  doomed = shmget(IPC_PRIVATE, SIZE + 2, 0600);
  parts = shmget(FIRST_KEY + 1, SIZE + 3, IPC_CREAT | 0600);
  CHECK(keyed != -1 && alone != -1 && doomed != -1 && parts != -1, "shmget");
  one = (char *)shmat(keyed, NULL, 0);
  two = (char *)shmat(keyed, NULL, 0);
  reads = (char *)shmat(keyed, NULL, SHM_RDONLY);
  nameless = (char *)shmat(doomed, NULL, 0);
  pieces = (char *)shmat(parts, NULL, 0);
  char *early = (char *)shmat(alone, NULL, 0);
  probe_fill(one, 65536, 1);
  probe_fill(nameless, 65536, 2);
  probe_fill(early, 65536, 3);
  probe_fill(pieces + 4096, 4096, 4);
  probe_fill(pieces + 4 * 4096, 4096, 5);
  CHECK(shmdt(early) == 0 && shmctl(doomed, IPC_RMID, NULL) == 0, "setting up");
  CHECK(munmap(pieces + 2 * 4096, 4096) == 0 && mprotect(pieces + 4096, 4096, PROT_READ) == 0, "parts");
  probe_note("keyed", (uint64_t)(uintptr_t)one + 4096);
  probe_hold();
  check();
  sysv_remove_segments(SIZE, SIZE + 3);
  CHECK(!sysv_wrong[0], "%.200s", sysv_wrong);
  return probe_ok();
}
