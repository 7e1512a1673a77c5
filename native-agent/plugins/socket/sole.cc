// A datagram for one socket of several that share its address: the kernel gives each to one that it chooses, or, of a group of multicast, to
// all. While the queues are filled, which no group has been joined for yet, one at a time is made the only one that it can come to. Of
// addresses that somebody shares. [restoring] Test: test/probes/sockets/shared_queues.c, shared_queues6.c.
#include <net/if.h>
#include <netinet/in.h>

#include "socket/socket.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

namespace cairn::sockets {
namespace {

/// What of the sender and of the host is other for a moment. One at a time in a process.
int32_t joined = -1;    // for the interface to take what is sent to the group
int32_t loops = 1, interface = 0, hops = 0;
Address bound = {};

bool is_group(const Address& address) {
  if (address.family() == AF_INET6) return static_cast<unsigned char>(address.bytes[8]) == 0xff;
  return address.family() == AF_INET && (address.bytes[4] & 0xf0) == 0xe0;
}

Address lock_of(const Socket& one) {
  Address name = {};
  *reinterpret_cast<uint16_t*>(name.bytes) = AF_INET;
  name.size = sizeof(sockaddr_in);
  set_port(&name, port_of(one.shown_local));
  return name;
}

void set(int32_t fd, int32_t name, const void* value, uint32_t size) { sys(SYS_setsockopt, fd, IPPROTO_IP, name, pointer(value), size); }

void set6(int32_t fd, int32_t name, int32_t value) { sys(SYS_setsockopt, fd, IPPROTO_IPV6, name, pointer(&value), sizeof value); }

int32_t get6(int32_t fd, int32_t name) {
  int32_t value = 0;
  uint32_t size = sizeof value;
  sys(SYS_getsockopt, fd, IPPROTO_IPV6, name, pointer(&value), pointer(&size));
  return value;
}

void hear(const Socket& one, int32_t yes) {
  if (one.family == AF_INET6) set6(one.fd, IPV6_MULTICAST_ALL, yes);
  else set(one.fd, IP_MULTICAST_ALL, &yes, sizeof yes);
}

/// A datagram socket of IPv6 keeps the address that it was connected to as the only one that it hears, for ever: the kernel's disconnecting
/// forgets the port alone. So one that is bound to all addresses gets what waited in it over a group of its own, and one that is
/// bound to an address that others can reach gets it as the kernel likes; to the loopback address only the loopback sends.
bool may_be_connected(const Socket& one) { return one.family != AF_INET6 || is_loopback(one.shown_local); }

/// Of the site, so that the routes decide: nobody else has joined it.
Address own_group(const Address& to) {
  Address group = to;
  auto* name = reinterpret_cast<sockaddr_in6*>(group.bytes);
  constexpr unsigned char address[16] = {0xff, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0x63, 0x61, 0x69, 0x72, 0x6e, 0x00};
  copy_bytes(&name->sin6_addr, address, sizeof address);
  name->sin6_scope_id = 0;
  return group;
}

/// By the interface that the group belongs to, else the sender's, else the one that the routes give: the loopback has none for groups of IPv6, as
/// a rule. What goes there comes back, and does not leave the host.
void begin_group6(int32_t sender, const Address& to) {
  auto* name = reinterpret_cast<const sockaddr_in6*>(to.bytes);
  loops = get6(sender, IPV6_MULTICAST_LOOP);
  interface = get6(sender, IPV6_MULTICAST_IF);
  hops = get6(sender, IPV6_MULTICAST_HOPS);
  struct ipv6_mreq group = {name->sin6_addr, name->sin6_scope_id != 0 ? name->sin6_scope_id : static_cast<uint32_t>(interface)};
  joined = static_cast<int32_t>(sys(SYS_socket, AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sys(SYS_setsockopt, joined, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, pointer(&group), sizeof group);
  set6(sender, IPV6_MULTICAST_LOOP, 1);
  set6(sender, IPV6_MULTICAST_IF, static_cast<int32_t>(group.ipv6mr_interface));
  set6(sender, IPV6_MULTICAST_HOPS, 0);
}

void end_group6(int32_t sender) {
  set6(sender, IPV6_MULTICAST_IF, interface);
  set6(sender, IPV6_MULTICAST_LOOP, loops);
  set6(sender, IPV6_MULTICAST_HOPS, hops);
}

}  // namespace

void hear_nothing(const Socket& one) {
  if (is_group(one.shown_local) || (one.family == AF_INET6 && is_any(one.shown_local) && shares_address(one))) hear(one, 0);
}

void begin_sole(const Socket& one, int32_t sender, Address* target) {
  lock_name(lock_of(one));
  if (!may_be_connected(one) && is_any(one.shown_local) && target->family() == AF_INET6) *target = own_group(*target);
  const Address& to = *target;
  if (!is_group(to)) {
    if (!may_be_connected(one)) return;
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
  hear(one, 1);
  if (to.family() == AF_INET6) return begin_group6(sender, to);
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
}

void end_sole(const Socket& one, int32_t sender, const Address& to) {
  if (!is_group(to) && !may_be_connected(one)) {
    // It was left as it is.
  } else if (!is_group(to)) {
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
    if (to.family() == AF_INET6) {
      end_group6(sender);
    } else {
      // What it was set to comes with the groups.
      const struct ip_mreqn any = {};
      set(sender, IP_MULTICAST_IF, &any, sizeof any);
      set(sender, IP_MULTICAST_LOOP, &loops, sizeof loops);
    }
    if (joined >= 0) sys(SYS_close, joined);
    joined = -1;
  }
  unlock_name(lock_of(one));
}

}  // namespace cairn::sockets
