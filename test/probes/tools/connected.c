// Connects to a TCP port of this machine and answers every byte that comes from there: a connection to outside.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
    perror("connect");
    return 1;
  }
  printf("connected as fd %d\n", fd);
  fflush(stdout);
  char byte;
  while (read(fd, &byte, 1) == 1) {
    byte++;
    if (write(fd, &byte, 1) != 1) return 1;
  }
  printf("closed\n");
  return 0;
}
