// Groups of multicast over the loopback: joined and left, of IPv4 and IPv6, the interface that is sent by; packets in the queue.
// sabotage: call close @receiver
// attached: not joined before: what a program has joined before the attach is not known
// alone: what one of the runs sends to a group is for all of them
#include "../probe.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int bound(int family, struct sockaddr_storage *name) {
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0), yes = 1;
  socklen_t size = sizeof *name;
  memset(name, 0, sizeof *name);
  name->ss_family = (sa_family_t)family;
  CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0, "SO_REUSEADDR");
  CHECK(bind(fd, (struct sockaddr *)name, size) == 0 && getsockname(fd, (struct sockaddr *)name, &size) == 0, "bind");
  return fd;
}
static int arrives(int fd) {
  char text[16];
  for (int wait = 0; wait < 500; wait++) {
    if (recv(fd, text, sizeof text, 0) > 0) return 1;
    probe_sleep_ms(1);
  }
  return 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sockaddr_storage name, name6;
  int receiver = bound(AF_INET, &name), receiver6 = bound(AF_INET6, &name6), sender = socket(AF_INET, SOCK_DGRAM, 0);
  static struct ip_mreq group;
  group = (struct ip_mreq){{inet_addr("239.77.1.1")}, {htonl(INADDR_LOOPBACK)}};
  struct ip_mreq left = {{inet_addr("239.77.1.2")}, {htonl(INADDR_LOOPBACK)}};
  if (setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) != 0) SKIP("no multicast over the loopback");
  CHECK(setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, &left, sizeof left) == 0, "IP_ADD_MEMBERSHIP");
  CHECK(setsockopt(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, &left, sizeof left) == 0, "IP_DROP_MEMBERSHIP");
  CHECK(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &group.imr_interface, sizeof group.imr_interface) == 0, "IP_MULTICAST_IF");
  struct group_req group6 = {.gr_interface = 1};
  struct sockaddr_in6 *there6 = (struct sockaddr_in6 *)&group6.gr_group;
  there6->sin6_family = AF_INET6, there6->sin6_port = ((struct sockaddr_in6 *)&name6)->sin6_port, there6->sin6_scope_id = 1;
  inet_pton(AF_INET6, "ff01::77", &there6->sin6_addr);
  int sender6 = socket(AF_INET6, SOCK_DGRAM, 0), loopback = 1;
  int six = setsockopt(receiver6, IPPROTO_IPV6, MCAST_JOIN_GROUP, &group6, sizeof group6) == 0 &&
            setsockopt(sender6, IPPROTO_IPV6, IPV6_MULTICAST_IF, &loopback, sizeof loopback) == 0 &&
            sendto(sender6, "first", 5, 0, (struct sockaddr *)there6, sizeof *there6) == 5 && arrives(receiver6);
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = ((struct sockaddr_in *)&name)->sin_port, .sin_addr = group.imr_multiaddr};
  if (sendto(sender, "queued", 6, 0, (struct sockaddr *)&there, sizeof there) != 6) SKIP("no multicast over the loopback");
  probe_note("receiver", (uint64_t)receiver);
  probe_hold();
  char text[16];
  CHECK(recv(receiver, text, sizeof text, 0) == 6 && memcmp(text, "queued", 6) == 0, "what was in the queue");
  CHECK(sendto(sender, "later", 5, 0, (struct sockaddr *)&there, sizeof there) == 5 && arrives(receiver), "it is no member any more");
  there.sin_addr = left.imr_multiaddr;
  CHECK(setsockopt(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, &left, sizeof left) == -1 && errno == EADDRNOTAVAIL, "a group that was left was joined again");
  if (six) CHECK(sendto(sender6, "later", 5, 0, (struct sockaddr *)there6, sizeof *there6) == 5 && arrives(receiver6), "it is no member of the group of IPv6 any more");
  CHECK(setsockopt(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof group) == 0, "it cannot leave the group");
  return probe_ok();
}
