// Who is at the other end of each socket that this process brings back: a socket of the computation, or somebody outside, of which
// rules say what becomes (rules.cc). Then, with a barrier between, the queues are read. [quiesced], all processes
// having described theirs. Test: test/probes/sockets, test/probes/refusals.test.ts.
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "socket/away.h"

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif

namespace cairn::sockets {
namespace {

int32_t outside(Socket* one) {
  one->target = false;
  one->peer_inode = 0;
  one->role = Role::outside;
  Leading rule = rule_for(one->shown_peer);
  if (rule == Leading::closed) return 0;
  if (rule != Leading::refused) {
    int32_t result = offer_external(one, rule == Leading::external);
    if (result != 0) return result < 0 ? result : 0;
  }
  return refuse_outside(*one);
}

bool adopt(Socket* one, uint64_t inode) {
  Place place;
  if (!place_of(inode, &place)) return false;
  one->peer_inode = inode;
  one->peer_process = place.process;
  one->peer_fd = place.fd;
  one->peer_family = place.family;
  return true;
}

/// A socket of the computation that receives what is sent to this address.
bool bound_to(int32_t type, const Address& address, uint64_t* inode) {
  if (inode_of(type, address, nullptr, inode)) return true;
  if (address.family() == AF_UNIX) return false;
  const int familys[] = {AF_INET, AF_INET6};
  for (int family : familys) {
    Address any = {};
    *reinterpret_cast<uint16_t*>(any.bytes) = static_cast<uint16_t>(family);
    any.size = family == AF_INET ? 16 : 28;
    set_port(&any, port_of(address));
    if (inode_of(type, any, nullptr, inode)) return true;
  }
  return false;
}

}  // namespace

bool on_this_host(const Address& local, const Address& peer) {
  Address one = as_family(local, AF_INET), other = as_family(peer, AF_INET);
  if (one.family() == AF_INET && other.family() == AF_INET) {
    bool equal = true;
    for (int i = 4; i < 8; ++i) equal = equal && one.bytes[i] == other.bytes[i];
    return equal || other.bytes[4] == 127;
  }
  bool equal = one.family() == other.family();
  for (int i = 8; i < 24; ++i) equal = equal && one.bytes[i] == other.bytes[i];
  return equal;
}

namespace {

bool unsent(const Socket& one) {
  int32_t left = 0;
  sys(SYS_ioctl, one.fd, SIOCOUTQ, pointer(&left));
  return left > 0;
}

int32_t find_unix_peer(Socket* one) {
  if (one->peer_inode != 0) return adopt(one, one->peer_inode) ? 0 : outside(one);
  if (one->type != SOCK_DGRAM && waits(one->inode)) {
    one->role = Role::waiting;
    one->in_turn = is_known_pending(one->inode);
    if (unsent(*one) && !one->in_turn) return refuse_for_now(*one, "data for a connection that was not accepted yet; try again when it was", &one->shown_peer);
    return 0;
  }
  if (one->type != SOCK_DGRAM && one->shutdown != 3) return outside(one);
  one->role = Role::orphaned;
  return 0;
}

int32_t find_tcp_peer(Socket* one) {
  uint64_t inode = 0;
  if (inode_of(one->type, one->peer, &one->local, &inode) && adopt(one, inode)) return 0;
  if (find_away(one)) return 0;
  InetState other;
  if (!on_this_host(one->local, one->peer)) return outside(one);
  int32_t result = inet_state(one->protocol, one->peer, one->local, &other);
  // TCP_SYN_RECV: the listener's queue is full, or it wants to see none without data (TCP_DEFER_ACCEPT).
  bool early = result == 0 && other.state == TCP_SYN_RECV;
  if (result == -ENOENT || (result == 0 && other.inode == 0 && !early && other.state != TCP_ESTABLISHED && other.state != TCP_CLOSE_WAIT)) {
    // What it sent last and is still on the way has nobody who could send it again. Its end counts as one byte.
    if (result == 0 && other.state == TCP_FIN_WAIT1 && other.send_queue > 1) return refuse_for_now(*one, "more data on the way than fits, from a peer that has closed; try again when it was read", &one->shown_peer);
    one->role = Role::orphaned;
    return 0;
  }
  if (result < 0) return refuse(*one, "a peer of which the kernel tells nothing (NETLINK_SOCK_DIAG, INET_DIAG)", &one->shown_peer);
  Place listener;
  if (other.inode != 0 || !bound_to(one->type, one->peer, &inode) || !place_of(inode, &listener)) return outside(one);
  one->role = Role::waiting;
  tell_waiting(one->inode, inode);
  one->in_turn = is_known_pending(one->inode);
  if (one->in_turn) return 0;
  if (other.receive_queue > (other.state == TCP_CLOSE_WAIT ? 1u : 0u) || (one->shutdown & 2) != 0 || (early && unsent(*one))) {
    return refuse_for_now(*one, "data for a connection that was not accepted yet; try again when it was", &one->shown_peer);
  }
  return 0;
}

int32_t find_target(Socket* one) {
  uint64_t inode = one->peer_inode;
  if (inode == 0 && !is_unix(*one) && !inode_of(one->type, one->peer, nullptr, &inode)) (void)bound_to(one->type, one->peer, &inode);
  if (adopt(one, inode)) return 0;
  if (is_unix(*one) && one->peer_inode == 0) return 0;
  return outside(one);
}

void find_senders(Socket* one) {
  for (Message* message = one->queue; message != nullptr; message = message->next) {
    uint64_t inode = 0;
    Place place;
    if (message->from.size == 0 || !is_named(message->from) || !bound_to(one->type, message->from, &inode) || !place_of(inode, &place)) continue;
    message->sender_process = place.process;
    message->sender_fd = place.fd;
  }
}

}  // namespace

int32_t find_peers() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere) continue;
    int32_t error = 0;
    if (one->target) error = find_target(one);
    else if (one->role == Role::outside) error = outside(one);
    else if (one->role == Role::external) error = offer_external(one, true);
    else if (one->role == Role::paired) error = is_unix(*one) ? find_unix_peer(one) : find_tcp_peer(one);
    if (error < 0) return error;
  }
  return settle_queues();
}

/// All queues have settled: what a peer sent is here, or its sender has said that it does not fit.
int32_t save_queues() {
  begin_looks();
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere || one->drained || one->role == Role::external) continue;
    if (int32_t error = save_queue(one); error < 0) return error;
    if (one->type == SOCK_DGRAM) find_senders(one);
  }
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere || one->role != Role::listening || one->queued <= count_waiting(one->inode) + known_gone(one->inode) || closes({})) continue;
    return refuse(*one, "a connection in its queue that came from outside of the computation, or whose client has gone", &one->shown_local);
  }
  return 0;
}

}  // namespace cairn::sockets
