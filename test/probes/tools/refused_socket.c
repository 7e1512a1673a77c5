// Holds one kind of socket that cannot be saved, named by the first argument; ends when its standard input does.
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int ends[2] = {-1, -1}, listener = -1;
  if (strcmp(argv[1], "netlink") == 0) {
    // With an answer that is not read.
    struct nlmsghdr question = {sizeof question, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 1, 0};
    ends[0] = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (send(ends[0], &question, sizeof question, 0) != sizeof question) return 1;
  } else if (strcmp(argv[1], "unaccepted") == 0) {
    // Its client could not connect again: the name is gone.
    struct sockaddr_un name = {AF_UNIX, "refused"};
    listener = ends[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(name.sun_path);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) || listen(listener, 1)) return 1;
    ends[1] = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(ends[1], (struct sockaddr *)&name, sizeof name) || write(ends[1], "x", 1) != 1 || unlink(name.sun_path)) return 1;
  }
  if (ends[0] < 0) return 1;
  printf("descriptor %d\n", ends[0]);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  if (listener < 0) return 0;
  // It waits as before.
  int accepted = accept(listener, NULL, NULL);
  return accepted >= 0 && read(accepted, &byte, 1) == 1 && byte == 'x' && write(accepted, "y", 1) == 1 && read(ends[1], &byte, 1) == 1 ? 0 : 3;
}
