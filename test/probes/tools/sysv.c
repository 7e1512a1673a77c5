// A System V segment with a key that a number is written into.
//
//   sysv segment KEY   at each line says the segment's number and adds 1; at `end` removes it and ends
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>

static void say(const char *text, int number) {
  printf("%s %d\n", text, number);
  fflush(stdout);
}

int main(int argc, char **argv) {
  char line[64];
  if (argc < 3) return 2;
  int id = shmget((key_t)strtol(argv[2], NULL, 0), 4096, IPC_CREAT | 0600);
  int *number = (int *)shmat(id, NULL, 0);
  if (number == (void *)-1) return 1;
  say("id", id);
  while (fgets(line, sizeof line, stdin) && strncmp(line, "end", 3) != 0) say(shmget((key_t)strtol(argv[2], NULL, 0), 0, 0) == id ? "number" : "lost", (*number)++);
  return shmctl(id, IPC_RMID, NULL) == 0 ? 0 : 1;
}
