// System V semaphores keep values, ids, keys and permissions; a child and a thread that wait for one go on waiting, and are woken
// by the new set, not by an old one. A lock with SEM_UNDO that was released stays usable.
// alone: it counts and removes the objects of all runs
// sabotage: poke @expected
#include "sysv.h"
#include <sys/sem.h>

#define KEY 0x43c1
#define COUNT 37

union argument {
  int value;
  struct semid_ds *status;
  unsigned short *values;
};
static int keyed, nameless;
static unsigned short expected[64];
static volatile int thread_result = -100;

static int operate(int id, int number, int change, int flags) {
  struct sembuf operation = {(unsigned short)number, (short)change, (short)flags};
  return semop(id, &operation, 1);
}

static void *wait_here(void *unused) {
  thread_result = operate(nameless, 1, -1, 0) == 0 ? 0 : errno;
  return unused;
}

// Below all wrappers: the sets that this probe has left behind, here and in runs that were killed.
static void remove_sets(void) {
  FILE *list = fopen("/proc/sysvipc/sem", "r");
  char line[512];
  int key, id, mode, count;
  while (list && fgets(line, sizeof line, list))
    if (sscanf(line, "%d %d %o %d", &key, &id, (unsigned *)&mode, &count) == 4 && (count == COUNT || count == COUNT + 1))
      sysv_call(SYS_semctl, id, 0, IPC_RMID);
  if (list) fclose(list);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  remove_sets();
  keyed = semget(KEY, COUNT, IPC_CREAT | 0640);
  nameless = semget(IPC_PRIVATE, COUNT + 1, 0600);
  CHECK(keyed != -1 && nameless != -1, "semget");
  for (int i = 0; i < COUNT; i++) expected[i] = (unsigned short)(i * 11);
  union argument argument;
  argument.values = expected;
  CHECK(semctl(keyed, 0, SETALL, argument) == 0, "SETALL");
  CHECK(operate(keyed, 5, -1, SEM_UNDO) == 0 && operate(keyed, 5, 1, SEM_UNDO) == 0, "a lock");
  pthread_t thread;
  pthread_create(&thread, NULL, wait_here, NULL);
  pid_t child = fork();
  if (child == 0) {
    if (operate(nameless, 0, -1, 0) == -1) _exit(errno);
    _exit(operate(nameless, 2, 3, 0) == 0 ? 0 : 99);
  }
  argument.value = 0;
  WAIT_UNTIL(semctl(nameless, 0, GETNCNT, argument) == 1 && semctl(nameless, 1, GETNCNT, argument) == 1, "nobody waits");
  probe_note("expected", (uint64_t)(uintptr_t)expected);
  probe_hold();
  unsigned short values[64] = {0};
  struct semid_ds status;
  argument.values = values;
  SYSV_CHECK(semctl(keyed, 0, GETALL, argument) == 0 && memcmp(values, expected, sizeof values) == 0, "values");
  argument.status = &status;
  SYSV_CHECK(semctl(keyed, 0, IPC_STAT, argument) == 0, "IPC_STAT");
  SYSV_CHECK(status.sem_nsems == COUNT && (status.sem_perm.mode & 0777) == 0640 && status.sem_perm.__key == KEY, "state: %lu %o %x",
             (unsigned long)status.sem_nsems, status.sem_perm.mode, (unsigned)status.sem_perm.__key);
  SYSV_CHECK(semget(KEY, 0, 0) == keyed && semget(KEY, COUNT, IPC_CREAT | 0600) == keyed, "the key gives another id");
  SYSV_CHECK(semget(KEY, COUNT, IPC_CREAT | IPC_EXCL | 0600) == -1 && errno == EEXIST, "the key is free");
  SYSV_CHECK(thread_result == -100, "the thread has ended its wait with %d", thread_result);
  for (int i = 0; i < 2000 && semctl(nameless, 0, GETNCNT, argument) + semctl(nameless, 1, GETNCNT, argument) < 2; i++) probe_sleep_ms(2);
  SYSV_CHECK(semctl(nameless, 0, GETNCNT, argument) == 1 && semctl(nameless, 1, GETNCNT, argument) == 1, "who waited does not wait any more");
  SYSV_CHECK(operate(nameless, 1, 1, 0) == 0 && operate(nameless, 0, 1, 0) == 0, "semop");
  struct sembuf last = {2, -3, 0};
  struct timespec patience = {10, 0};
  SYSV_CHECK(semtimedop(nameless, &last, 1, &patience) == 0, "the child does not answer");
  int result = -1;
  if (sysv_wrong[0]) kill(child, SIGKILL);
  waitpid(child, &result, 0);
  SYSV_CHECK(result == 0, "the child ended with %x", (unsigned)result);
  if (!sysv_wrong[0]) pthread_join(thread, NULL);
  SYSV_CHECK(thread_result == 0, "the thread's wait gave %d", thread_result);
  SYSV_CHECK(semctl(keyed, 0, IPC_RMID) == 0 && semget(KEY, 0, 0) == -1 && errno == ENOENT, "removal");
  SYSV_CHECK(semctl(nameless, 0, IPC_RMID) == 0 && operate(nameless, 0, 1, 0) == -1, "removal");
  remove_sets();
  CHECK(!sysv_wrong[0], "%.200s", sysv_wrong);
  return probe_ok();
}
