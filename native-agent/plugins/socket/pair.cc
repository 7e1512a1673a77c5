// Makes both ends of a connection in one process. Names are the kernel's own where they are to be had: the accepted end is accepted
// from a listening socket that has its name for this moment, the other end is bound before it connects. What is not to be had
// (a port that the killed connection still occupies) is shown by shown.cc. [restoring] Test: test/probes/sockets.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

long make_socket(int family, int type) { return sys(SYS_socket, family, type | SOCK_CLOEXEC, 0); }

void close_all(int32_t one, int32_t other) {
  if (one >= 0) sys(SYS_close, one);
  if (other >= 0) sys(SYS_close, other);
}

int32_t plain_pair(const Socket& own, int32_t* ends) {
  return static_cast<int32_t>(sys(SYS_socketpair, AF_UNIX, own.type | SOCK_CLOEXEC, 0, pointer(ends)));
}

/// A datagram pair gets its names afterwards; a stream by accept.
int32_t unix_pair(const Socket& own, int32_t* ends) {
  // Names of those who are not of the computation, or not any more, are not ours to take: shown.cc shows them.
  const Address none = {};
  const Address& peer_name = own.role == Role::paired ? own.shown_peer : none;
  bool own_accepted = is_named(own.shown_local);
  const Address& accepted_name = own_accepted ? own.shown_local : peer_name;
  const Address& client_name = own_accepted ? peer_name : own.shown_local;
  if (own.type == SOCK_DGRAM || !is_named(accepted_name)) {
    int32_t result = plain_pair(own, ends);
    if (result < 0) return result;
    (void)bind_name(ends[0], own.shown_local, own.file_there, own.file_mode);
    (void)bind_name(ends[1], peer_name, false, 0);
    return 0;
  }
  lock_name(accepted_name);
  auto listener = static_cast<int32_t>(make_socket(AF_UNIX, own.type));
  auto client = static_cast<int32_t>(make_socket(AF_UNIX, own.type));
  bool taken = is_taken(accepted_name);
  long result = taken ? -EADDRINUSE : bind_name(listener, accepted_name, true, 0);
  if (result == 0) {
    Address address = {}, unused = {};
    read_addresses(listener, &address, &unused);
    (void)sys(SYS_listen, listener, 1);
    result = sys(SYS_connect, client, pointer(address.bytes), address.size);
    if (result == 0) result = sys(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
    release_name(accepted_name);
  }
  sys(SYS_close, listener);
  unlock_name(accepted_name);
  if (result < 0) {
    close_all(client, -1);
    return plain_pair(own, ends);
  }
  (void)bind_name(client, client_name, !own_accepted && own.file_there, own.file_mode);
  ends[0] = own_accepted ? static_cast<int32_t>(result) : client;
  ends[1] = own_accepted ? client : static_cast<int32_t>(result);
  return 0;
}

Address loopback(int32_t family) {
  Address address = {};
  *reinterpret_cast<uint16_t*>(address.bytes) = static_cast<uint16_t>(family);
  address.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (family == AF_INET) address.bytes[4] = 127, address.bytes[7] = 1;
  else address.bytes[23] = 1;
  return address;
}

void allow_reuse(int32_t fd) {
  int32_t one = 1;
  sys(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, pointer(&one), 4);
}

/// Connects a new socket to the listening one; bound to its old name, if that can be.
long connect_to(const Socket& own, const Address& target, bool bound) {
  long fd = make_socket(own.family, SOCK_STREAM);
  if (fd < 0) return fd;
  allow_reuse(static_cast<int32_t>(fd));
  set_options(own, static_cast<int32_t>(fd));
  long result = bound ? sys(SYS_bind, fd, pointer(own.local.bytes), own.local.size) : 0;
  if (result == 0) result = sys(SYS_connect, fd, pointer(target.bytes), target.size);
  if (result == 0) return fd;
  sys(SYS_close, fd);
  return result;
}

/// A foreign program may connect to the port at this moment, too.
long accept_from(int32_t listener, int32_t client) {
  Address wanted = {}, none = {};
  read_addresses(client, &wanted, &none);
  for (;;) {
    long fd = sys(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
    if (fd < 0) return fd;
    Address local = {}, peer = {};
    read_addresses(static_cast<int32_t>(fd), &local, &peer);
    if (port_of(peer) == port_of(wanted)) return fd;
    sys(SYS_close, fd);
  }
}

int32_t tcp_pair(const Socket& own, int32_t* ends) {
  int32_t family = own.peer_family != 0 ? own.peer_family : own.family;
  Address name = as_family(own.peer, family);
  if (name.family() != family || port_of(name) == 0) name = loopback(family);
  const Address locked = name;
  lock_name(locked);
  auto listener = static_cast<int32_t>(make_socket(family, SOCK_STREAM));
  allow_reuse(listener);
  int32_t zero = 0;
  if (family == AF_INET6) sys(SYS_setsockopt, listener, IPPROTO_IPV6, IPV6_V6ONLY, pointer(&zero), 4);
  long result = sys(SYS_bind, listener, pointer(name.bytes), name.size);
  if (result < 0) {
    // Taken: any port; of an address that this host does not have: the loopback one.
    set_port(&name, 0);
    result = sys(SYS_bind, listener, pointer(name.bytes), name.size);
    if (result < 0) {
      name = as_family(loopback(as_family(name, AF_INET).family()), family);
      result = sys(SYS_bind, listener, pointer(name.bytes), name.size);
    }
  }
  if (result == 0) result = sys(SYS_listen, listener, 4);
  Address target = {}, none = {};
  read_addresses(listener, &target, &none);
  target = as_family(target, own.family);
  long client = -1;
  if (result == 0) {
    client = port_of(own.local) != 0 ? connect_to(own, target, true) : -EINVAL;
    if (client < 0) client = connect_to(own, target, false);
    result = client < 0 ? client : accept_from(listener, static_cast<int32_t>(client));
  }
  sys(SYS_close, listener);
  unlock_name(locked);
  if (result < 0) {
    close_all(static_cast<int32_t>(client), -1);
    return static_cast<int32_t>(result);
  }
  ends[0] = static_cast<int32_t>(client);
  ends[1] = static_cast<int32_t>(result);
  return 0;
}

}  // namespace

int32_t connect_pair(const Socket& own, int32_t* ends) {
  int32_t result = is_unix(own) ? unix_pair(own, ends) : tcp_pair(own, ends);
  return result < 0 ? fail(result, own, "its connection cannot be made again") : 0;
}

}  // namespace cairn::sockets
