// What the kernel undoes at the end of a process (SEM_UNDO): of this process and of a child, up and down, after a value was set anew,
// and that nothing is undone twice; and who last changed a semaphore (GETPID).
// sabotage: poke @expected
// attached: not known: what the kernel is to undo from before
#include "sysv.h"
#include <sys/sem.h>
#include <sys/wait.h>

#define COUNT 39
union argument {
  int value;
  unsigned short *values;
};
static int set;
static unsigned short expected[COUNT];

static int operate(int number, int change, int flags) {
  struct sembuf operation = {(unsigned short)number, (short)change, (short)flags};
  return semop(set, &operation, 1);
}
static int value(int number) { return semctl(set, number, GETVAL); }
static int last(int number) { return semctl(set, number, GETPID); }

static void remove_sets(void) {
  FILE *list = fopen("/proc/sysvipc/sem", "r");
  char line[512];
  int key, id, mode, count;
  while (list && fgets(line, sizeof line, list))
    if (sscanf(line, "%d %d %o %d", &key, &id, (unsigned *)&mode, &count) == 4 && count == COUNT) sysv_call(SYS_semctl, id, 0, IPC_RMID);
  if (list) fclose(list);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  remove_sets();
  set = semget(IPC_PRIVATE, COUNT, 0600);
  union argument argument = {.value = 0};
  for (int i = 0; i < COUNT; i++) expected[i] = 10;
  argument.values = expected;
  CHECK(set != -1 && semctl(set, 0, SETALL, argument) == 0, "semget");
  probe_note("expected", (uint64_t)(uintptr_t)&expected[COUNT - 1]);
  int go[2], done[2];
  CHECK(pipe(go) == 0 && pipe(done) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    char byte;
    // Down by 3, up by 2, to and fro, and one whose value is set anew afterwards.
    if (operate(0, -3, SEM_UNDO) || operate(1, 2, SEM_UNDO) || operate(2, -4, SEM_UNDO) || operate(2, 4, SEM_UNDO) || operate(3, -5, SEM_UNDO)) _exit(1);
    if (operate(4, 1, 0) || write(done[1], "d", 1) != 1 || read(go[0], &byte, 1) != 1) _exit(2);
    _exit(operate(0, -1, SEM_UNDO) ? 3 : 4);
  }
  char byte;
  CHECK(read(done[0], &byte, 1) == 1, "the child");
  argument.value = 20;
  CHECK(semctl(set, 3, SETVAL, argument) == 0 && operate(5, -7, SEM_UNDO) == 0, "SETVAL");
  const int now[] = {7, 12, 10, 20, 11, 3};
  for (int i = 0; i < 6; i++) CHECK(value(i) == now[i], "semaphore %d is %d", i, value(i));
  probe_hold();
  for (int i = 0; i < 6; i++) CHECK(value(i) == now[i], "semaphore %d is %d", i, value(i));
  for (int i = 6; i < COUNT; i++) CHECK(value(i) == expected[i], "semaphore %d is %d", i, value(i));
  CHECK(last(4) == child && last(5) == getpid(), "last changed by %d and %d, not %d and %d", last(4), last(5), child, getpid());
  int status = 0;
  CHECK(write(go[1], "g", 1) == 1 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 4, "the child gave %x", (unsigned)status);
  const int then[] = {10, 10, 10, 20, 11, 3};
  for (int i = 0; i < 6; i++) CHECK(value(i) == then[i], "semaphore %d is %d after the child's end", i, value(i));
  // This process's own: seen by a child that outlives it would be too much; it is taken back.
  CHECK(operate(5, 7, SEM_UNDO) == 0 && value(5) == 10, "the last");
  CHECK(semctl(set, 0, IPC_RMID) == 0, "IPC_RMID");
  return probe_ok();
}
