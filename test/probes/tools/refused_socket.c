// Holds one kind of socket that cannot be saved, named by the first argument; ends when its standard input does.
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int ends[2] = {-1, -1};
  if (strcmp(argv[1], "netlink") == 0) {
    // With an answer that is not read.
    struct nlmsghdr question = {sizeof question, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 1, 0};
    ends[0] = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (send(ends[0], &question, sizeof question, 0) != sizeof question) return 1;
  } else if (strcmp(argv[1], "unaccepted") == 0) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&name, length) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&name, &length)) return 1;
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(ends[0], (struct sockaddr *)&name, length) || write(ends[0], "x", 1) != 1) return 1;
  }
  if (ends[0] < 0) return 1;
  printf("descriptor %d\n", ends[0]);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}
