// Connections to processes of the computation on other hosts, at a restart. Of the two ends the process with the lower number listens
// for a moment and tells all hosts where, with a token; the other connects to where that host is now, and begins with the token, so that
// nobody else's connection is taken for it. Then each sends what was in its peer's queue, which that one has written to the folder that
// all hosts see (q<pid>.<fd>). The old names are the kernel's where they are to be had; else shown.cc shows them.
//
// Event RESTART: listeners. Barriers: "connect", "accept" (listeners are closed before those of the application are made), "fill".
// [restoring] Test: test/hosts (connections).
#include <netinet/in.h>
#include <poll.h>
#include <time.h>

#include "common/handles.h"
#include "socket/away.h"

namespace cairn::sockets {
namespace {

constexpr uint32_t offer_space = plugin::name_space("socket.away.offer");
constexpr uint32_t queue_space = plugin::name_space("socket.away.queue");
constexpr uint32_t max_listeners = 64;
constexpr int32_t patience_ms = 10'000;

struct Offer {
  uint32_t port;
  int32_t family;
  char token[16];
};

struct Listener {
  int32_t fd;
  int32_t family;
  uint32_t port;    // where it is
  uint32_t wanted;  // for whom: the old port
};
Listener listeners[max_listeners];
uint32_t listener_count = 0;

bool listens(const Socket& one) { return host->virtual_pid() < one.peer_process; }
bool is_away(const Socket& one) { return one.away && !one.elsewhere && one.role == Role::paired; }

void reuse(long fd) {
  int32_t yes = 1;
  sys(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, pointer(&yes), 4);
}

Address any_address(int32_t family, uint32_t port) {
  Address address = {};
  *reinterpret_cast<uint16_t*>(address.bytes) = static_cast<uint16_t>(family);
  address.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  set_port(&address, port);
  return address;
}

/// At the old port, if nobody has it now; for all connections that had the same.
const Listener* listener_for(const Socket& one) {
  uint32_t wanted = port_of(one.local);
  for (uint32_t i = 0; i < listener_count; ++i) {
    if (listeners[i].family == one.family && listeners[i].wanted == wanted) return &listeners[i];
  }
  if (listener_count == max_listeners) return listener_count == 0 ? nullptr : &listeners[0];
  long fd = sys(SYS_socket, one.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  reuse(fd);
  int32_t no = 0;
  if (one.family == AF_INET6) sys(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, pointer(&no), 4);
  Address address = any_address(one.family, wanted);
  long result = sys(SYS_bind, fd, pointer(address.bytes), address.size);
  if (result == 0) result = sys(SYS_listen, fd, 256);
  if (result < 0) {
    sys(SYS_close, fd);
    fd = sys(SYS_socket, one.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (one.family == AF_INET6) sys(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, pointer(&no), 4);
    result = fd < 0 ? fd : sys(SYS_listen, fd, 256);
  }
  if (result < 0) {
    if (fd >= 0) sys(SYS_close, fd);
    return nullptr;
  }
  Address bound = {}, none = {};
  read_addresses(static_cast<int32_t>(fd), &bound, &none);
  listeners[listener_count] = {host->hide_fd(static_cast<int32_t>(fd)), one.family, port_of(bound), wanted};
  return &listeners[listener_count++];
}

bool wait_for(int32_t fd, int16_t events, int32_t ms) {
  struct pollfd poll = {fd, events, 0};
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  return sys(SYS_ppoll, pointer(&poll), 1, pointer(&time), 0, 0) > 0;
}

/// Of a family's own form; false: the address is of the other family.
bool peer_address(const cairn_answer& answer, const Offer& offer, int32_t family, Address* address) {
  *address = any_address(AF_INET6, offer.port);
  copy_bytes(address->bytes + 8, answer.address, 16);
  Address four = as_family(*address, AF_INET);
  if (family == AF_INET) *address = four;
  // A listening socket of IPv4 is not reached by IPv6.
  return family != AF_INET ? offer.family == AF_INET6 || four.family() == AF_INET : four.family() == AF_INET;
}

int64_t now_ms() {
  struct timespec time = {};
  sys(SYS_clock_gettime, CLOCK_MONOTONIC, pointer(&time));
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/// Waits no longer than it has to for a host that does not answer.
int32_t connect_from(const Socket& one, const Address& target, bool bound) {
  long fd = sys(SYS_socket, one.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return static_cast<int32_t>(fd);
  reuse(fd);
  set_options(one, static_cast<int32_t>(fd));
  long result = bound ? sys(SYS_bind, fd, pointer(one.local.bytes), one.local.size) : 0;
  if (result == 0) result = sys(SYS_connect, fd, pointer(target.bytes), target.size);
  if (result == -EINPROGRESS) {
    int32_t error = ETIMEDOUT;
    uint32_t size = sizeof error;
    if (wait_for(static_cast<int32_t>(fd), POLLOUT, patience_ms)) sys(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, pointer(&error), pointer(&size));
    result = -error;
  }
  if (result == 0) return static_cast<int32_t>(fd);
  sys(SYS_close, fd);
  return static_cast<int32_t>(result);
}

int32_t connect_one(Socket* one) {
  PlaceKey peer = {one->peer_process, one->peer_fd};
  cairn_answer answer = {};
  Offer offer;
  if (host->answer_of_hosts(offer_space, &peer, sizeof peer, &answer) != 0 || answer.value_size != sizeof offer) {
    return fail(-ENOENT, *one, "the process with the other end, on another host, did not make the connection");
  }
  copy_bytes(&offer, answer.value, sizeof offer);
  Address target;
  if (answer.has_address == 0 || !peer_address(answer, offer, one->family, &target)) {
    return fail(-EAFNOSUPPORT, *one, "the host of its peer has no address of its family now");
  }
  int32_t fd = port_of(one->local) != 0 ? connect_from(*one, target, true) : -EINVAL;
  if (fd < 0) fd = connect_from(*one, target, false);
  if (fd < 0) return fail(fd, *one, "the host of its peer cannot be reached");
  if (int32_t error = send_whole(fd, offer.token, sizeof offer.token); error < 0) return fail(error, *one, "the host of its peer cannot be reached");
  sys(SYS_fcntl, fd, F_SETFL, 0);
  int32_t error = settle(fd, one->fd, nullptr);
  if (error == 0) make_room(*one);
  return error;
}

Socket* with_token(const char* token) {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (!is_away(*one) || !listens(*one) || one->there) continue;
    bool same = true;
    for (uint32_t i = 0; i < sizeof one->token; ++i) same = same && token[i] == one->token[i];
    if (same) return one;
  }
  return nullptr;
}

/// What connects and has no token is somebody else's.
int32_t accept_one(int32_t listener) {
  long fd = sys(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
  if (fd < 0) return 0;
  char token[sizeof Socket::token];
  uint32_t size = 0;
  while (size < sizeof token && wait_for(static_cast<int32_t>(fd), POLLIN, 1000)) {
    long count = sys(SYS_recvfrom, fd, pointer(token + size), sizeof token - size, 0, 0, 0);
    if (count <= 0) break;
    size += static_cast<uint32_t>(count);
  }
  Socket* one = size == sizeof token ? with_token(token) : nullptr;
  if (one == nullptr) {
    sys(SYS_close, fd);
    return 0;
  }
  one->there = true;
  if (int32_t error = settle(static_cast<int32_t>(fd), one->fd, nullptr); error < 0) return error;
  set_options(*one, one->fd);
  make_room(*one);
  return 0;
}

const Socket* missing() {
  for (const Socket* one = sockets; one != nullptr; one = one->next) {
    if (is_away(*one) && listens(*one) && !one->there) return one;
  }
  return nullptr;
}

}  // namespace

int32_t offer_away() {
  listener_count = 0;
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (!is_away(*one)) continue;
    if (!several_hosts()) return fail(-ENOTCONN, *one, "the host of its peer is not restarted");
    one->there = false;
    PlaceKey own = {host->virtual_pid(), one->fd}, peer = {one->peer_process, one->peer_fd};
    if (one->queue != nullptr) {
      if (int32_t error = write_queue('q', *one); error < 0) return error;
      host->tell_hosts(queue_space, &own, sizeof own, "1", 1);
    }
    host->ask_hosts(queue_space, &peer, sizeof peer);
    if (!listens(*one)) {
      host->ask_hosts(offer_space, &peer, sizeof peer);
      continue;
    }
    const Listener* listener = listener_for(*one);
    if (listener == nullptr) return fail(-EADDRNOTAVAIL, *one, "its peer on another host cannot connect to it");
    if (sys(SYS_getrandom, pointer(one->token), sizeof one->token, 0) != sizeof one->token) return fail(-EIO, *one, "there are no random numbers");
    Offer offer = {listener->port, one->family, {}};
    copy_bytes(offer.token, one->token, sizeof offer.token);
    if (int32_t error = host->tell_hosts(offer_space, &own, sizeof own, &offer, sizeof offer); error < 0) return fail(error, *one, "it has too many connections to other hosts");
  }
  return 0;
}

int32_t connect_away() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (!is_away(*one) || listens(*one)) continue;
    if (int32_t error = connect_one(one); error < 0) return error;
  }
  return 0;
}

int32_t accept_away() {
  for (int64_t end = now_ms() + patience_ms; const Socket* one = missing();) {
    if (now_ms() > end) return fail(-ETIMEDOUT, *one, "its peer on another host did not connect");
    for (uint32_t i = 0; i < listener_count; ++i) {
      while (wait_for(listeners[i].fd, POLLIN, i == 0 ? 2 : 0)) {
        if (int32_t error = accept_one(listeners[i].fd); error < 0) return error;
      }
    }
  }
  for (uint32_t i = 0; i < listener_count; ++i) host->close_fd(listeners[i].fd);
  listener_count = 0;
  return 0;
}

int32_t fill_away(const Socket& one) {
  PlaceKey peer = {one.peer_process, one.peer_fd};
  cairn_answer answer = {};
  if (host->answer_of_hosts(queue_space, &peer, sizeof peer, &answer) != 0) return 0;
  return send_file('q', one.peer_process, one.peer_fd, one.fd);
}

}  // namespace cairn::sockets
