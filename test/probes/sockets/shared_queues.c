// Sockets for datagrams that share an address, each with packets of its own that nobody has received yet: bound to all addresses, to the
// loopback address, and to a group of multicast; in two processes, from senders of both.
// sabotage: call close @receiver
// alone: what one of the runs sends to a group is for all of them
// attached: not joined before: what a program has joined before the attach is not known
#include "../probe.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { GROUP, GROUP_ANY, PORT, KINDS, EACH = 2, PACKETS = 6 };
static int receivers[KINDS][EACH], owned[KINDS][EACH][PACKETS], counts[KINDS][EACH];
static struct sockaddr_in names[KINDS];

static int bound(int kind) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), yes = 1;
  socklen_t size = sizeof names[kind];
  struct ip_mreq group = {{inet_addr("239.77.2.1")}, {htonl(INADDR_LOOPBACK)}};
  CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0, "SO_REUSEADDR");
  if (kind == PORT) CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0, "SO_REUSEPORT");
  names[kind].sin_family = AF_INET;
  if (kind == GROUP) names[kind].sin_addr = group.imr_multiaddr;
  CHECK(bind(fd, (struct sockaddr *)&names[kind], size) == 0 && getsockname(fd, (struct sockaddr *)&names[kind], &size) == 0, "bind");
  if (kind != PORT && setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) != 0) SKIP("no multicast over the loopback");
  return fd;
}
static int sender(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
  CHECK(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof loopback) == 0, "IP_MULTICAST_IF");
  return fd;
}
static void send_to(int fd, int kind, int number) {
  struct sockaddr_in to = names[kind];
  to.sin_addr.s_addr = kind == PORT ? htonl(INADDR_LOOPBACK) : inet_addr("239.77.2.1");
  CHECK(sendto(fd, &number, sizeof number, 0, (struct sockaddr *)&to, sizeof to) == sizeof number, "sendto");
}

static int take(int kind, int which, int *numbers) {
  int count = 0;
  while (count < PACKETS && recv(receivers[kind][which], &numbers[count], sizeof(int), 0) == sizeof(int)) count++;
  return count;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  for (int kind = 0; kind < KINDS; kind++) receivers[kind][0] = bound(kind);
  int mine = sender(), ready[2], go[2];
  CHECK(pipe(ready) == 0 && pipe(go) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    int theirs = sender(), numbers[PACKETS];
    for (int kind = 0; kind < KINDS; kind++) receivers[kind][1] = bound(kind);
    if (write(ready[1], "r", 1) != 1 || read(go[0], numbers, 1) != 1) _exit(1);
    for (int kind = 0; kind < KINDS; kind++) send_to(theirs, kind, 100);
    if (write(ready[1], "s", 1) != 1 || read(go[0], numbers, 1) != 1) _exit(1);
    for (int kind = 0; kind < KINDS; kind++) {
      int count = take(kind, 1, numbers);
      if (write(ready[1], &count, sizeof count) != sizeof count || write(ready[1], numbers, sizeof numbers) != sizeof numbers) _exit(1);
    }
    close(theirs);
    _exit(0);
  }
  char byte;
  CHECK(read(ready[0], &byte, 1) == 1, "the child");
  for (int kind = 0; kind < KINDS; kind++) send_to(mine, kind, 1), send_to(mine, kind, 2);
  CHECK(write(go[1], "g", 1) == 1 && read(ready[0], &byte, 1) == 1, "the child");
  // The kernel chooses who gets what is sent to a port.
  int before = 0;
  (void)!recv(receivers[PORT][0], &before, sizeof before, MSG_PEEK);
  probe_note("receiver", (uint64_t)receivers[GROUP_ANY][0]);
  probe_hold();
  int numbers[PACKETS], all = 0;
  CHECK(write(go[1], "g", 1) == 1, "the child");
  for (int kind = 0; kind < KINDS; kind++) {
    int count, theirs[PACKETS];
    CHECK(read(ready[0], &count, sizeof count) == sizeof count && read(ready[0], theirs, sizeof theirs) == sizeof theirs, "the child");
    counts[kind][1] = count;
    memcpy(owned[kind][1], theirs, sizeof theirs);
    counts[kind][0] = take(kind, 0, numbers);
    memcpy(owned[kind][0], numbers, sizeof numbers);
  }
  for (int kind = 0; kind < PORT; kind++)
    for (int i = 0; i < EACH; i++) {
      CHECK(counts[kind][i] == 3, "receiver %d of kind %d has %d packets", i, kind, counts[kind][i]);
      CHECK(owned[kind][i][0] == 1 && owned[kind][i][1] == 2 && owned[kind][i][2] == 100, "receiver %d of kind %d has others: %d %d %d", i, kind, owned[kind][i][0], owned[kind][i][1], owned[kind][i][2]);
    }
  CHECK(counts[PORT][0] + counts[PORT][1] == 3, "%d and %d packets", counts[PORT][0], counts[PORT][1]);
  for (int i = 0; i < EACH; i++)
    for (int packet = 0; packet < counts[PORT][i]; packet++) all += owned[PORT][i][packet];
  CHECK(all == 103 && (before == 0 ? counts[PORT][0] == 0 : counts[PORT][0] > 0 && owned[PORT][0][0] == before), "what came to the port is elsewhere");
  for (int kind = 0; kind < PORT; kind++) send_to(mine, kind, 7);
  probe_sleep_ms(20);
  for (int kind = 0; kind < PORT; kind++) CHECK(take(kind, 0, numbers) == 1 && numbers[0] == 7, "kind %d: a member hears nothing", kind);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child gave %x", status);
  return probe_ok();
}
