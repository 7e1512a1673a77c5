// System V shared memory of several processes: one that was inherited, one that a child attached by its key, one that the parent
// never attached, and one that a child has made after the checkpoint. All agree on ids, and write into the same memory.
// alone: it counts and removes the objects of all runs
// sabotage: poke @shared
#include "sysv.h"

#define SIZE 90001ul
#define KEY 0x43b1

struct shared {
  volatile int step, done[2], late, errors;
  char text[4096];
};

static void work(int index, struct shared *inherited, int private_id) {
  pid_t parent = getppid();
  int id = shmget(KEY, 0, 0);
  char *keyed = (char *)shmat(id, NULL, 0);
  char *own = (char *)shmat(private_id, NULL, index ? SHM_RDONLY : 0);
  if (id == -1 || keyed == (char *)-1 || own == (char *)-1) _exit(3);
  if (index == 0) strcpy(own, "written before");
  inherited->done[index] = 1;
  for (int seen = 0; seen < 3;) {
    if (kill(parent, 0) == -1) _exit(4);
    if (inherited->step == seen) {
      probe_sleep_ms(2);
      continue;
    }
    seen = inherited->step;
    if (seen == 1) {
      keyed[100 + index] = (char)(40 + index);
      if (index == 0) strcpy(own, "written after");
      if (shmget(KEY, 0, 0) != id) inherited->errors |= 1;
    }
    if (seen == 2 && index == 0) {
      int late = shmget(IPC_PRIVATE, SIZE + 2, 0600);
      char *place = (char *)shmat(late, NULL, 0);
      if (place == (char *)-1) inherited->errors |= 2;
      else strcpy(place, "late");
      inherited->late = late;
    }
    if (seen == 2 && index == 1 && strcmp(own, "written after") != 0) inherited->errors |= 4;
    __atomic_fetch_add(&inherited->done[index], 1, __ATOMIC_SEQ_CST);
  }
  _exit(0);
}

static int step(struct shared *shared) {
  int before[2] = {shared->done[0], shared->done[1]};
  shared->step++;
  for (int i = 0; i < 5000; i++) {
    if (shared->done[0] > before[0] && shared->done[1] > before[1]) return 1;
    probe_sleep_ms(2);
  }
  return 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  sysv_remove_segments(SIZE, SIZE + 3);
  int inherited_id = shmget(IPC_PRIVATE, SIZE, 0600);
  int keyed_id = shmget(KEY, SIZE + 1, IPC_CREAT | IPC_EXCL | 0600);
  int private_id = shmget(IPC_PRIVATE, SIZE + 3, 0600);
  CHECK(inherited_id != -1 && keyed_id != -1 && private_id != -1, "shmget");
  struct shared *shared = (struct shared *)shmat(inherited_id, NULL, 0);
  char *keyed = (char *)shmat(keyed_id, NULL, 0);
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = fork();
    if (children[i] == 0) work(i, shared, private_id);
  }
  WAIT_UNTIL(shared->done[0] == 1 && shared->done[1] == 1, "the children have not started");
  CHECK(shmctl(inherited_id, IPC_RMID, NULL) == 0 && shmctl(private_id, IPC_RMID, NULL) == 0, "marks for removal");
  probe_fill(shared->text, sizeof shared->text, 9);
  probe_note("shared", (uint64_t)(uintptr_t)shared->text);
  probe_hold();
  SYSV_CHECK(probe_compare(shared->text, sizeof shared->text, 9) == -1, "inherited content");
  SYSV_CHECK(step(shared), "the children do not see the parent's memory");
  SYSV_CHECK(keyed[100] == 40 && keyed[101] == 41, "the children write elsewhere: %d %d", keyed[100], keyed[101]);
  SYSV_CHECK(step(shared), "the children have stopped");
  char *late = (char *)shmat(shared->late, NULL, 0);
  SYSV_CHECK(late != (char *)-1 && strcmp(late, "late") == 0, "the id %d that a child made", shared->late);
  SYSV_CHECK(shmctl(shared->late, IPC_RMID, NULL) == 0, "removal of what a child made");
  SYSV_CHECK(!shared->errors, "a child found errors %d", shared->errors);
  struct shmid_ds status;
  SYSV_CHECK(shmctl(private_id, IPC_STAT, &status) == 0 && status.shm_nattch == 2, "attachments of the children: %lu", (unsigned long)status.shm_nattch);
  shared->step = 3;
  for (int i = 0; i < 2; i++) {
    if (sysv_wrong[0]) kill(children[i], SIGKILL);
    waitpid(children[i], NULL, 0);
  }
  SYSV_CHECK(shmctl(private_id, IPC_STAT, &status) == -1, "the children's segment is there after their end");
  SYSV_CHECK(shmdt(keyed) == 0 && shmctl(keyed_id, IPC_RMID, NULL) == 0 && shmctl(keyed_id, IPC_STAT, &status) == -1, "the end");
  sysv_remove_segments(SIZE, SIZE + 3);
  CHECK(!sysv_wrong[0], "%.200s", sysv_wrong);
  return probe_ok();
}
