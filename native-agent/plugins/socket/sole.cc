// A datagram for one socket of several that share its address: the kernel gives each to one that it chooses, or, of a group of multicast, to
// all. While the queues are filled, which no group has been joined for yet, one at a time is made the only one that it can come to. Of
// addresses that somebody shares. [restoring] Test: test/probes/sockets/shared_queues.c.
#include <net/if.h>
#include <netinet/in.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

/// What of the sender and of the host is other for a moment. One at a time in a process.
int32_t joined = -1;    // for the loopback to take what is sent to the group
int32_t loops = 1;
Address bound = {};

bool is_group(const Address& address) { return address.family() == AF_INET && (address.bytes[4] & 0xf0) == 0xe0; }

Address lock_of(const Socket& one) {
  Address name = {};
  *reinterpret_cast<uint16_t*>(name.bytes) = AF_INET;
  name.size = sizeof(sockaddr_in);
  set_port(&name, port_of(one.shown_local));
  return name;
}

void set(int32_t fd, int32_t name, const void* value, uint32_t size) { sys(SYS_setsockopt, fd, IPPROTO_IP, name, pointer(value), size); }

void hear(const Socket& one, int32_t yes) { set(one.fd, IP_MULTICAST_ALL, &yes, sizeof yes); }

}  // namespace

void hear_nothing(const Socket& one) {
  if (is_group(one.shown_local)) hear(one, 0);
}

void begin_sole(const Socket& one, int32_t sender, const Address& to) {
  lock_name(lock_of(one));
  if (!is_group(to)) {
    // What comes from the one that a socket is connected to comes to this socket.
    Address from = {}, unused = {};
    read_addresses(one.fd, &bound, &unused);
    read_addresses(sender, &from, &unused);
    const uint32_t port = port_of(from);
    if (is_any(from)) from = to;
    set_port(&from, port);
    from = as_family(from, one.family);
    sys(SYS_connect, one.fd, pointer(from.bytes), from.size);
    return;
  }
  struct ip_mreqn group = {};
  group.imr_multiaddr = reinterpret_cast<const sockaddr_in*>(to.bytes)->sin_addr;
  group.imr_address.s_addr = htonl(INADDR_LOOPBACK);
  joined = static_cast<int32_t>(sys(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  set(joined, IP_ADD_MEMBERSHIP, &group, sizeof group);
  int32_t yes = 1;
  uint32_t size = sizeof loops;
  sys(SYS_getsockopt, sender, IPPROTO_IP, IP_MULTICAST_LOOP, pointer(&loops), pointer(&size));
  set(sender, IP_MULTICAST_LOOP, &yes, sizeof yes);
  set(sender, IP_MULTICAST_IF, &group, sizeof group);
  hear(one, 1);
}

void end_sole(const Socket& one, int32_t sender, const Address& to) {
  if (!is_group(to)) {
    const sa_family_t none[8] = {AF_UNSPEC};
    // The kernel lets go of the device with the peer.
    char device[IFNAMSIZ] = "";
    uint32_t size = sizeof device;
    sys(SYS_getsockopt, one.fd, SOL_SOCKET, SO_BINDTODEVICE, pointer(device), pointer(&size));
    sys(SYS_connect, one.fd, pointer(none), sizeof none);
    // A port that the kernel had chosen is gone with that.
    Address now = {}, unused = {};
    read_addresses(one.fd, &now, &unused);
    if (port_of(now) == 0) sys(SYS_bind, one.fd, pointer(bound.bytes), bound.size);
    if (device[0] != 0) sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_BINDTODEVICE, pointer(device), sizeof device);
  } else {
    hear(one, 0);
    // What it was set to comes with the groups.
    const struct ip_mreqn any = {};
    set(sender, IP_MULTICAST_IF, &any, sizeof any);
    set(sender, IP_MULTICAST_LOOP, &loops, sizeof loops);
    if (joined >= 0) sys(SYS_close, joined);
    joined = -1;
  }
  unlock_name(lock_of(one));
}

}  // namespace cairn::sockets
