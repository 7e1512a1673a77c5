// Has open a FIFO and a message queue by name, and one of each that has lost its name; says the lost queue's inode, and ends well when a line comes.
//
//   left_names FIFO QUEUE
//   left_names is QUEUE...      0: there is one of that name; it is removed
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int found = 0;
  for (int i = 2; i < argc && strcmp(argv[1], "is") == 0; i++) found |= mq_unlink(argv[i]) == 0;
  if (argc < 3 || strcmp(argv[1], "is") == 0) return !found;
  char lost[300];
  struct stat status;
  struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 8};
  snprintf(lost, sizeof lost, "%s-lost", argv[2]);
  int queue = mq_open(argv[2], O_RDWR | O_CREAT, 0600, &attributes), nameless = mq_open(lost, O_RDWR | O_CREAT, 0600, &attributes);
  if (queue < 0 || nameless < 0 || mq_unlink(lost) != 0 || fstat(nameless, &status) != 0) return 1;
  snprintf(lost, sizeof lost, "%s-lost", argv[1]);
  if (mkfifo(argv[1], 0600) != 0 || mkfifo(lost, 0600) != 0) return 2;
  if (open(argv[1], O_RDWR) < 0 || open(lost, O_RDWR) < 0 || unlink(lost) != 0) return 3;
  printf("inode %lu\n", (unsigned long)status.st_ino);
  fflush(stdout);
  char line[8];
  return fgets(line, sizeof line, stdin) == NULL;
}
