// A System V semaphore that is held with SEM_UNDO until a line comes, or a segment with a key that a number is written into.
//
//   sysv undo          says `held`, at a line `released`, at a line it ends
//   sysv segment KEY   at each line says the segment's number and adds 1; at `end` removes it and ends
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/shm.h>

static void say(const char *text, int number) {
  printf("%s %d\n", text, number);
  fflush(stdout);
}

static int change(int id, int by) {
  struct sembuf operation = {0, (short)by, SEM_UNDO};
  return semop(id, &operation, 1);
}

int main(int argc, char **argv) {
  char line[64];
  if (argc == 2) {
    int id = semget(IPC_PRIVATE, 1, 0600);
    if (id == -1 || semctl(id, 0, SETVAL, 1) == -1 || change(id, -1) == -1) return 1;
    say("held", id);
    if (!fgets(line, sizeof line, stdin) || change(id, 1) == -1) return 1;
    say("released", id);
    char *last = fgets(line, sizeof line, stdin);
    return semctl(id, 0, IPC_RMID) == 0 && last ? 0 : 1;
  }
  int id = shmget((key_t)strtol(argv[2], NULL, 0), 4096, IPC_CREAT | 0600);
  int *number = (int *)shmat(id, NULL, 0);
  if (number == (void *)-1) return 1;
  say("id", id);
  while (fgets(line, sizeof line, stdin) && strncmp(line, "end", 3) != 0) say(shmget((key_t)strtol(argv[2], NULL, 0), 0, 0) == id ? "number" : "lost", (*number)++);
  return shmctl(id, IPC_RMID, NULL) == 0 ? 0 : 1;
}
