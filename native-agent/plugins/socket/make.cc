// Brings the sockets back, each at the descriptor that it is to have in this process, before the plugin `descriptor` asks for them.
// Four steps, between which all processes wait for each other: connections; everything else, and the ends that other processes
// made; what was in the queues; and later (passed.cc) what would have been in the way until then. [restoring] Test: test/probes/sockets.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "socket/away.h"

namespace cairn::sockets {
namespace {

bool here(const Socket& one) { return one.peer_process == host->virtual_pid(); }

/// Of the two that have the ends, the one with the lower number makes both.
bool makes(const Socket& one) {
  if (!here(one)) return host->virtual_pid() < one.peer_process;
  return one.fd < one.peer_fd;
}

/// More descriptors than the application may have are open for a while; its limits come back later.
void raise_limit() {
  struct rlimit64 limit = {};
  if (sys(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, pointer(&limit)) < 0 || limit.rlim_cur >= 8192) return;
  limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
  sys(SYS_prlimit64, 0, RLIMIT_NOFILE, pointer(&limit), 0);
}

int32_t make_pair(Socket* one) {
  int32_t ends[2];
  if (int32_t error = connect_pair(*one, ends); error < 0) return error;
  int32_t error = settle(ends[0], one->fd, &ends[1]);
  if (error < 0) return error;
  set_options(*one, one->fd);
  if (one->role != Role::paired && one->deferred) {
    one->helper = host->hide_fd(ends[1]);
    return 0;
  }
  if (one->role != Role::paired) {
    error = fill_from(*one, ends[1]);
    end_peer(*one, ends[1]);
    return error < 0 ? fail(error, *one, "what was in its queue cannot be put back") : 0;
  }
  if (here(*one)) return settle(ends[1], one->peer_fd, nullptr);
  one->helper = host->hide_fd(ends[1]);
  tell_held(one->peer_inode, one->helper);
  return 0;
}

/// An address of the loopback at which nobody is: a connected datagram socket whose peer is gone.
int32_t connect_to_nobody(const Socket& one) {
  Address name = {}, none = {};
  *reinterpret_cast<uint16_t*>(name.bytes) = AF_INET;
  name.bytes[4] = 127, name.bytes[7] = 1;
  name.size = sizeof(sockaddr_in);
  long other = sys(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sys(SYS_bind, other, pointer(name.bytes), name.size);
  read_addresses(static_cast<int32_t>(other), &name, &none);
  sys(SYS_close, other);
  name = as_family(name, one.family);
  sys(SYS_connect, one.fd, pointer(name.bytes), name.size);
  return 0;
}

int32_t make_other(Socket* one) {
  long fd = sys(SYS_socket, one->family, one->type | SOCK_CLOEXEC, one->protocol);
  if (fd < 0) return fail(static_cast<int32_t>(fd), *one, "it cannot be made again");
  int32_t yes = 1;
  if (!is_unix(*one) && is_stream(*one)) sys(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, pointer(&yes), 4);
  if (int32_t error = settle(static_cast<int32_t>(fd), one->fd, nullptr); error < 0) return error;
  set_options(*one, one->fd);
  if (one->family == AF_NETLINK) return make_netlink(*one);
  bool keep = one->file_there || !is_unix(*one);
  // Beside a run that goes on, sharing an address would take from it what is meant for it.
  int32_t error = one->role != Role::waiting && shares_address(*one) ? bind_shared(*one) : bind_name(one->fd, one->shown_local, keep, one->file_mode);
  if (error == -EADDRINUSE && one->role != Role::waiting && !has_path(one->shown_local)) error = bind_elsewhere(*one);
  else if ((error == -EADDRINUSE || error == -EACCES || error == -EROFS) && one->file_there) error = bind_in_run_folder(*one);
  // The port of a connection that waits is not what anybody asks for.
  if (error < 0 && one->role == Role::waiting) error = 0;
  // A name whose file was removed leads nowhere: any will do, and the old one is shown.
  if (error < 0 && is_unix(*one) && !one->file_there && has_path(one->shown_local)) {
    const sa_family_t family = AF_UNIX;
    error = static_cast<int32_t>(sys(SYS_bind, one->fd, pointer(&family), sizeof family));
  }
  if (error < 0) return fail(error, *one, error == -EADDRINUSE ? "its address is used by another program" : "it cannot have its address again");
  if (one->role == Role::listening) error = static_cast<int32_t>(sys(SYS_listen, one->fd, one->backlog));
  hear_nothing(*one);
  if (one->role == Role::outside) error = connect_to_nobody(*one);
  return error < 0 ? fail(error, *one, "it cannot listen again") : 0;
}

int32_t take_end(Socket* one) {
  int32_t there = -1;
  if (!held(one->inode, &there)) return fail(-ENOENT, *one, "the process with the other end did not make the connection");
  int32_t fd = fetch(one->peer_process, there);
  if (fd < 0) return fail(fd, *one, "its connection cannot be taken over from the process with the other end (pidfd_getfd, Linux 5.6)");
  if (int32_t error = settle(fd, one->fd, nullptr); error < 0) return error;
  set_options(*one, one->fd);
  return 0;
}

bool is_pair(const Socket& one) {
  if (one.away) return false;
  if (one.role == Role::paired) return makes(one);
  // A UDP socket whose peer is outside has no other end that could be made.
  return one.role == Role::orphaned || (one.role == Role::outside && (is_unix(one) || is_stream(one)));
}

int32_t fill_queue(const Socket& one) {
  if (one.away) return fill_away(one);
  if (one.role == Role::external || one.queue == nullptr || one.deferred || one.family == AF_NETLINK || one.role == Role::orphaned || one.role == Role::outside) return 0;
  if (one.role == Role::loose) return fill_datagrams(one);
  if (here(one)) return fill_from(one, one.peer_fd);
  int32_t other = fetch(one.peer_process, one.peer_fd);
  if (other < 0) return other;
  int32_t error = fill_from(one, other);
  sys(SYS_close, other);
  return error;
}

int32_t connect_by_name(const Socket& one) {
  Address target;
  if (int32_t error = reach(one.type, one.shown_peer, &target); error < 0) return error;
  return static_cast<int32_t>(sys(SYS_connect, one.fd, pointer(target.bytes), target.size));
}

}  // namespace

int32_t fail(int32_t error, const Socket& one, const char* what) {
  Text<512> name;
  add_address(&name, is_named(one.shown_local) ? one.shown_local : one.shown_peer);
  Text<1024> text;
  text.add("socket ").add(name.text()).add(", descriptor ").add(int64_t{one.fd}).add(": ").add(what);
  return host->fail(error, name.text(), text.text());
}

int32_t settle(int32_t fd, int32_t number, int32_t* other) {
  if (fd == number) return 0;
  if (other != nullptr && *other == number) {
    *other = static_cast<int32_t>(sys(SYS_fcntl, number, F_DUPFD_CLOEXEC, 0));
    if (*other < 0) return host->fail(*other, "socket", "too many open descriptors");
  }
  long result = sys(SYS_dup3, fd, number, O_CLOEXEC);
  sys(SYS_close, fd);
  return result < 0 ? host->fail(static_cast<int32_t>(result), "socket", "a socket cannot have its descriptor again") : 0;
}

void end_peer(const Socket& one, int32_t peer) {
  if (one.role == Role::outside) {
    struct linger at_once = {1, 0};
    if (!is_unix(one)) sys(SYS_setsockopt, peer, SOL_SOCKET, SO_LINGER, pointer(&at_once), sizeof at_once);
    // Unix sockets are reset when they are closed with something unread.
    else sys(SYS_sendto, one.fd, pointer(""), 1, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
  }
  sys(SYS_close, peer);
}

int32_t make_pairs() {
  raise_limit();
  if (int32_t error = make_external(); error < 0) return error;
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    one->helper = -1;
    if (one->elsewhere || !is_pair(*one)) continue;
    if (int32_t error = make_pair(one); error < 0) return error;
  }
  return connect_away();
}

int32_t make_others() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere || one->away || is_pair(*one) || one->role == Role::external) continue;
    if (one->role == Role::paired && here(*one)) {
      set_options(*one, one->fd);
      continue;
    }
    int32_t error = one->role == Role::paired ? take_end(one) : make_other(one);
    if (error < 0) return error;
  }
  return 0;
}

int32_t fill_queues() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere) continue;
    if (one->deferred) tell_deferred(*one);
    if (one->helper >= 0 && one->role == Role::paired) {
      host->close_fd(one->helper);
      forget_held(one->peer_inode);
      one->helper = -1;
    }
    if (int32_t error = fill_queue(*one); error < 0) return fail(error, *one, "what was in its queue cannot be put back");
    if (one->role != Role::waiting || one->in_turn) continue;
    sys(SYS_fcntl, one->fd, F_SETFL, O_NONBLOCK);
    int32_t error = connect_by_name(*one);
    if (error < 0 && error != -EINPROGRESS) return fail(error, *one, "it cannot connect again to the socket that had not accepted it");
  }
  return 0;
}

int32_t finish() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere) continue;
    if (one->target && connect_by_name(*one) < 0) host->log(CAIRN_LOG_WARNING, "a datagram socket is not connected to its peer any more");
    if (one->role != Role::loose && one->role != Role::listening && one->role != Role::external && one->shutdown != 0) {
      sys(SYS_shutdown, one->fd, one->shutdown == 3 ? SHUT_RDWR : one->shutdown == 2 ? SHUT_WR : SHUT_RD);
    }
    set_late_options(*one);
    sys(SYS_fcntl, one->fd, F_SETFL, static_cast<long>(one->status_flags & (O_NONBLOCK | O_ASYNC)));
  }
  return 0;
}

}  // namespace cairn::sockets
