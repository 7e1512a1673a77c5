// Describes one socket: kind, names, state, options. Queues and peers come when all processes have described theirs (peers.cc).
// [quiesced] Test: test/probes/sockets.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "common/limited.h"
#include "socket/away.h"

namespace cairn::sockets {

Socket* sockets = nullptr;

namespace {

int32_t option(int32_t fd, int name) {
  int32_t value = -1;
  uint32_t size = sizeof value;
  sys(SYS_getsockopt, fd, SOL_SOCKET, name, pointer(&value), pointer(&size));
  return value;
}

const char* unknown_kind(const Socket& one) {
  if (one.family == AF_NETLINK) return nullptr;
  if (one.family == AF_PACKET) return "raw access to the network (AF_PACKET)";
  if (one.family == AF_VSOCK) return "a connection to another virtual machine (AF_VSOCK)";
  if (one.family != AF_UNIX && one.family != AF_INET && one.family != AF_INET6) return "a family of addresses that Cairn does not know";
  if (one.type != SOCK_STREAM && one.type != SOCK_DGRAM && (one.type != SOCK_SEQPACKET || one.family != AF_UNIX)) return "raw access to the network";
  if (one.family == AF_UNIX) return nullptr;
  bool known = one.protocol == (one.type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
  if (one.protocol == 132) return "the protocol SCTP";
  return known ? nullptr : "a protocol that is neither TCP nor UDP";
}

int32_t describe_unix(Socket* one) {
  UnixState state;
  if (int32_t error = unix_state(one->inode, &state); error < 0) {
    return refuse(*one, "a state that the kernel does not tell (NETLINK_SOCK_DIAG, UNIX_DIAG)", nullptr);
  }
  one->shutdown = state.shutdown;
  one->file_there = state.has_file && file_of(one->shown_local, state.file, &one->file_mode);
  if (state.state == TCP_LISTEN) {
    one->role = Role::listening;
    one->backlog = state.backlog;
    one->queued = state.waiting_count;
    for (uint32_t i = 0; i < state.waiting_count; ++i) {
      if (state.waiting[i] == 0 && known_gone(one->inode) > 0) continue;
      if (state.waiting[i] == 0) return refuse_for_now(*one, "a connection in its queue whose client has gone; try again when it was accepted", nullptr);
      tell_waiting(state.waiting[i], one->inode);
    }
    return 0;
  }
  if (!state.has_peer) return 0;
  one->role = Role::paired;
  one->peer_inode = state.peer;
  if (one->type != SOCK_DGRAM || state.peer == 0) return 0;
  // Two unnamed datagram sockets can only know each other from socketpair(2); with names each finds the other by it.
  UnixState other;
  bool mutual = unix_state(state.peer, &other) == 0 && other.peer == static_cast<uint32_t>(one->inode);
  if (!mutual || (is_named(one->local) && is_named(one->peer))) {
    one->role = Role::loose;
    one->target = true;
  }
  return 0;
}

}  // namespace

int32_t describe_tcp(Socket* one) {
  struct tcp_info info = {};
  uint32_t size = sizeof info;
  if (long error = sys(SYS_getsockopt, one->fd, IPPROTO_TCP, TCP_INFO, pointer(&info), pointer(&size)); error < 0) {
    return refuse(*one, "a state that the kernel does not tell", nullptr);
  }
  struct pollfd poll = {one->fd, POLLRDHUP, 0};
  struct timespec now = {};
  sys(SYS_ppoll, pointer(&poll), 1, pointer(&now), 0, 0);
  bool ended = (poll.revents & POLLRDHUP) != 0;
  switch (info.tcpi_state) {
    case TCP_LISTEN:
      one->role = Role::listening;
      one->backlog = info.tcpi_sacked;  // as the kernel reports it for a listening socket
      one->queued = info.tcpi_unacked;
      return 0;
    case TCP_CLOSE:
      if (!ended) return 0;
      one->role = Role::orphaned;
      one->shutdown = 2;
      return 0;
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
      one->role = Role::outside;
      return 0;
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
      one->shutdown = ended ? 3 : 2;
      break;
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
      one->shutdown = 2;
      break;
    case TCP_ESTABLISHED:
      one->shutdown = ended ? 1 : 0;
      break;
    default:
      break;
  }
  one->role = Role::paired;
  return 0;
}

namespace {

void read_credentials(Socket* one) {
  struct ucred& credentials = one->credentials;
  uint32_t size = sizeof credentials;
  if (!is_unix(*one) || one->role == Role::loose) return;
  if (!shown_credentials(one->fd, &credentials)) {
    if (sys(SYS_getsockopt, one->fd, SOL_SOCKET, SO_PEERCRED, pointer(&credentials), pointer(&size)) < 0) credentials = {};
    auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
    if (ids != nullptr && credentials.pid > 0) credentials.pid = ids->to_virtual(credentials.pid);
  }
  // The computation's own user is then whoever restarts it.
  if (credentials.uid == static_cast<uid_t>(sys(SYS_geteuid))) credentials.uid = own_user;
  if (credentials.gid == static_cast<gid_t>(sys(SYS_getegid))) credentials.gid = own_user;
}

}  // namespace

namespace {

int32_t refuse_as(int32_t error, const Socket& one, const char* what, const Address* about, const char* otherwise = "") {
  Text<512> peer;
  if (about != nullptr) add_address(&peer, *about);
  Text<1024> text;
  text.add("descriptor ").add(int64_t{one.fd}).add(" is a socket with ").add(what);
  if (about != nullptr) text.add(" (").add(peer.text()).add(")");
  text.add(", which cannot be saved; close it before the checkpoint").add(otherwise).add(". The computation runs on");
  return host->fail(error, "socket", text.text());
}

}  // namespace

int32_t refuse(const Socket& one, const char* what, const Address* about) { return refuse_as(-ENOTSUP, one, what, about); }
int32_t refuse_outside(const Socket& one) {
  // A rule can be given by the address, or for all.
  return refuse_as(-ENOTSUP, one, "a connection to somebody outside of the computation", &one.shown_peer,
                   ", or run it with --connection '*=close', so that it is closed at a restart");
}
int32_t refuse_for_now(const Socket& one, const char* what, const Address* about) { return refuse_as(-EAGAIN, one, what, about); }

int32_t claim(cairn_descriptor* offer) {
  if (!S_ISSOCK(offer->mode)) return 0;
  // A computation that is held may be checkpointed again: what was noted then still holds, also of what a plugin has disconnected.
  for (const Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->inode != offer->inode) continue;
    offer->token = reinterpret_cast<uintptr_t>(one);
    return 1;
  }
  if (sockets == nullptr) {
    note_folder();
    plugin::put_back_limits(host);
  }
  auto* one = static_cast<Socket*>(take_memory(sizeof(Socket)));
  if (one == nullptr) return host->fail(-ENOMEM, "socket", "no memory for the description of a socket");
  one->fd = offer->fd;
  one->inode = offer->inode;
  one->status_flags = offer->status_flags;
  one->elsewhere = offer->elsewhere != 0;
  one->queue_end = &one->queue;
  one->helper = -1;
  one->family = option(one->fd, SO_DOMAIN);
  one->type = option(one->fd, SO_TYPE);
  one->protocol = option(one->fd, SO_PROTOCOL);
  one->cookie = cookie_of(one->fd);
  if (const char* what = unknown_kind(*one)) return refuse(*one, what, nullptr);
  read_addresses(one->fd, &one->local, &one->peer);
  one->shown_local = one->local;
  one->shown_peer = one->peer;
  const int whichs[] = {0, 1};
  for (int which : whichs) {
    Address* shown = which == 0 ? &one->shown_local : &one->shown_peer;
    if (!shown_address(one->fd, which, shown) && !moved_from(one->type, shown)) to_shown(shown);
  }
  int32_t error = 0;
  if (one->family == AF_NETLINK) error = describe_netlink(one);
  else if (is_unix(*one)) error = describe_unix(one);
  else if (is_stream(*one)) error = describe_tcp(one);
  else one->target = one->peer.size != 0;
  if (error < 0) return error;
  read_credentials(one);
  if (is_marked(*one)) {
    one->role = Role::external;
    one->target = false;
    if (!one->elsewhere) save_options(one);
  } else if (!one->elsewhere) {
    save_options(one);
    tell_place(one->inode, {host->virtual_pid(), one->fd, one->family});
    if (is_named(one->local)) {
      bool connected = is_stream(*one) && one->peer.size != 0;
      if (!is_unix(*one) || !connected) tell_address(one->type, one->local, connected ? &one->peer : nullptr, one->inode);
    }
    tell_ends(*one);
  }
  one->next = sockets;
  sockets = one;
  offer->token = reinterpret_cast<uintptr_t>(one);
  return 1;
}

}  // namespace cairn::sockets
