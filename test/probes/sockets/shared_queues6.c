// Sockets of IPv6 for datagrams that share an address, each with packets of its own that nobody has received yet: bound to a group of
// multicast (of the interface, and of a wider scope), to all addresses and in a group, and to a port alone; in two processes, from senders of both.
// The sockets for groups hear what they have not joined, or not, as they are told.
// sabotage: call close @receiver
// alone: what one of the runs sends to a group is for all of them
// attached: not joined before: what a program has joined before the attach is not known
#include "../probe.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { GROUP, GROUP_WIDE, GROUP_ANY, PORT, KINDS, EACH = 2, PACKETS = 6 };
static int receivers[KINDS][EACH], owned[KINDS][EACH][PACKETS], counts[KINDS][EACH];
static struct sockaddr_in6 names[KINDS];

static struct in6_addr group_of(int kind) {
  struct in6_addr address;
  inet_pton(AF_INET6, kind == GROUP_WIDE ? "ff05::77:2" : "ff01::77:2", &address);
  return address;
}

// The loopback has no route for groups, as a rule: the first interface over which one hears oneself.
static int way;
static void find_way(void) {
  struct if_nameindex *all = if_nameindex();
  for (struct if_nameindex *one = all; one && one->if_index != 0 && way == 0; one++) {
    int index = (int)one->if_index, none = 0;
    int hears = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), sends = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = group_of(GROUP), .sin6_scope_id = one->if_index};
    socklen_t size = sizeof name;
    struct ipv6_mreq group = {group_of(GROUP), one->if_index};
    char byte;
    if (bind(hears, (struct sockaddr *)&name, size) == 0 && getsockname(hears, (struct sockaddr *)&name, &size) == 0 &&
        setsockopt(hears, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof group) == 0 &&
        setsockopt(sends, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) == 0 &&
        setsockopt(sends, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &none, sizeof none) == 0 && sendto(sends, "x", 1, 0, (struct sockaddr *)&name, size) == 1) {
      probe_sleep_ms(20);
      if (recv(hears, &byte, 1, 0) == 1) way = index;
    }
    close(hears);
    close(sends);
  }
  if (all) if_freenameindex(all);
  if (way == 0) SKIP("no interface for multicast of IPv6");
}

static int bound(int kind) {
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), yes = 1;
  socklen_t size = sizeof names[kind];
  struct ipv6_mreq group = {group_of(kind), (unsigned)way};
  CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0, "SO_REUSEADDR");
  if (kind == PORT) CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0, "SO_REUSEPORT");
  names[kind].sin6_family = AF_INET6;
  if (kind < GROUP_ANY) names[kind].sin6_addr = group.ipv6mr_multiaddr;
  if (kind == GROUP) names[kind].sin6_scope_id = (unsigned)way;
  CHECK(bind(fd, (struct sockaddr *)&names[kind], size) == 0 && getsockname(fd, (struct sockaddr *)&names[kind], &size) == 0, "bind");
  if (kind != PORT && setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof group) != 0) SKIP("no multicast of IPv6");
  return fd;
}
static int sender(void) {
  int fd = socket(AF_INET6, SOCK_DGRAM, 0), hops = 0;
  CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &way, sizeof way) == 0, "IPV6_MULTICAST_IF");
  CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) == 0, "IPV6_MULTICAST_HOPS");
  return fd;
}
static void send_to(int fd, int kind, int number) {
  struct sockaddr_in6 to = names[kind];
  to.sin6_addr = kind == PORT ? in6addr_loopback : group_of(kind);
  if (kind == GROUP_ANY) to.sin6_scope_id = (unsigned)way;
  if (sendto(fd, &number, sizeof number, 0, (struct sockaddr *)&to, sizeof to) != sizeof number) SKIP("no packets of IPv6");
}
static void check_options(int fd) {
  int value = 0;
  socklen_t size = sizeof value;
  CHECK(getsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &value, &size) == 0 && value == 0, "IPV6_MULTICAST_HOPS is %d", value);
  CHECK(getsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &value, &size) == 0 && value == way, "IPV6_MULTICAST_IF is %d", value);
  CHECK(getsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &value, &size) == 0 && value == 1, "IPV6_MULTICAST_LOOP is %d", value);
}
enum { ALL = 29 };  // IPV6_MULTICAST_ALL

static int take(int kind, int which, int *numbers) {
  int count = 0;
  while (count < PACKETS && recv(receivers[kind][which], &numbers[count], sizeof(int), 0) == sizeof(int)) count++;
  return count;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  find_way();
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
  int no = 0, all_groups = -1;
  CHECK(read(ready[0], &byte, 1) == 1, "the child");
  const int knows = setsockopt(receivers[GROUP_WIDE][0], IPPROTO_IPV6, ALL, &no, sizeof no) == 0;
  for (int kind = 0; kind < KINDS; kind++) send_to(mine, kind, 1), send_to(mine, kind, 2);
  CHECK(write(go[1], "g", 1) == 1 && read(ready[0], &byte, 1) == 1, "the child");
  // The kernel chooses who gets what is sent to a port.
  int before = 0;
  (void)!recv(receivers[PORT][0], &before, sizeof before, MSG_PEEK);
  probe_note("receiver", (uint64_t)receivers[GROUP_ANY][0]);
  probe_hold();
  int numbers[PACKETS], all = 0;
  socklen_t size = sizeof all_groups;
  if (knows) CHECK(getsockopt(receivers[GROUP_WIDE][0], IPPROTO_IPV6, ALL, &all_groups, &size) == 0 && all_groups == 0, "IPV6_MULTICAST_ALL is %d", all_groups);
  if (knows) CHECK(getsockopt(receivers[GROUP][0], IPPROTO_IPV6, ALL, &all_groups, &size) == 0 && all_groups == 1, "IPV6_MULTICAST_ALL is %d", all_groups);
  check_options(mine);
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
