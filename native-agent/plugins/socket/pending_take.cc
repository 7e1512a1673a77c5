// Connections that were not accepted yet, accepted in their order and read: only where one of them has something that a restart could not
// know otherwise, and where all of them can be made anew. What was read is looked at, not taken: the accepted end is closed, and of TCP
// reset, so that its port is free for the new one. From here to the last connection made anew the application's clients are cut off;
// so nothing in between may be given up (abort_pending). [quiesced] Test: test/probes/sockets (pending*.c)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "socket/pending.h"

namespace cairn::sockets::pending {
namespace {

constexpr uint32_t most = max_waiting;  // at one listening socket
constexpr int32_t patience_ms = 2000;
constexpr uint64_t piece = 60 * 1024;  // as in queue.cc

void pause_a_moment() {
  struct timespec pause = {0, 2000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

bool has_ended(uint32_t state) { return state == TCP_CLOSE_WAIT; }

bool is_readable(int32_t fd) {
  struct pollfd poll = {fd, POLLIN, 0};
  struct timespec now = {};
  return sys(SYS_ppoll, pointer(&poll), 1, pointer(&now), 0, 0) > 0 && (poll.revents & POLLIN) != 0;
}

/// The client's end of a connection of TCP: 1: a process of the computation has it; 0: nobody has it any more; -1: it is somebody else's.
int32_t owner_of(const Child& child, uint64_t* inode) {
  int64_t value = 0;
  if (get(tcp_clients, address_key(SOCK_STREAM, child.peer, &child.local), &value)) return *inode = static_cast<uint64_t>(value), 1;
  InetState other;
  if (!on_this_host(child.local, child.peer)) return -1;
  int32_t result = inet_state(IPPROTO_TCP, child.peer, child.local, &other);
  if (result == -ENOENT) return 0;
  return result == 0 && other.inode == 0 && other.state != TCP_ESTABLISHED && other.state != TCP_CLOSE_WAIT ? 0 : -1;
}

struct Look {
  bool needed;
  bool foreign;       // somebody's who is not of the computation: left to what refuses that
  Obstacle obstacle;
};

/// An abstract name is free when the last has closed it: of several processes none waits for another there.
bool is_shared(uint64_t inode) {
  uint32_t index = 0, count = 0;
  int64_t virtual_id, real_id, any;
  while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) {
    if (get(sharers, sharer_key(inode, static_cast<int32_t>(virtual_id)), &any)) ++count;
  }
  return count > 1;
}

void look_at_client(uint64_t inode, Look* look) {
  int64_t value = 0;
  auto key = static_cast<int64_t>(inode);
  if (!get(doers, key, &value)) look->foreign = true;
  if (get(unread, key, &value)) look->needed = true;
  if (get(obstacles, key, &value)) look->obstacle = static_cast<Obstacle>(value);
  if (get(abstract, key, &value) && is_shared(inode)) look->obstacle = Obstacle::named;
}

Look look_at_tcp(const Listening& of) {
  Look look = {};
  uint32_t count = 0;
  for (const Child* child = of.children; child != nullptr; child = child->next, ++count) {
    uint64_t inode = 0;
    int32_t owner = owner_of(*child, &inode);
    if (owner > 0) look_at_client(inode, &look);
    look.foreign = look.foreign || owner < 0;
    look.needed = look.needed || owner == 0 || child->received > 0;
  }
  // One that was reset is no connection any more, but has its place.
  look.foreign = look.foreign || count != of.queued;
  return look;
}

Look look_at_unix(const Listening& of) {
  Look look = {};
  UnixState state;
  if (unix_state(of.inode, &state) < 0 || state.waiting_count != of.queued) return look.foreign = true, look;
  look.needed = of.gone > 0;
  for (uint32_t i = 0; i < state.waiting_count; ++i) {
    if (state.waiting[i] != 0) look_at_client(state.waiting[i], &look);
  }
  if (look.obstacle == Obstacle::none && !of.reachable) look.obstacle = Obstacle::unreachable;
  return look;
}

const char* text_of(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::flying: return "that is on the way in another socket";
    case Obstacle::named: return "that has a name of its own, which is abstract and of several processes, or whose file is gone";
    case Obstacle::port: return "whose port other connections have, too";
    case Obstacle::external: return "that is marked as external";
    case Obstacle::unreachable: return "that does not find the name of the listening socket any more";
    case Obstacle::layout: return "of a program of 32 bits where the listening one has 64, or the other way about";
    case Obstacle::descriptors: return "whose process has no descriptor left";
    default: return "of which there are too many";
  }
}

int32_t refuse_obstacle(const Listening& of, Obstacle obstacle) {
  Text<512> name;
  add_address(&name, of.shown);
  Text<1024> text;
  text.add("descriptor ").add(int64_t{of.fd}).add(" is a listening socket (").add(name.text()).add(") with connections that were not accepted yet and in which there is data already, and one of them is of a client ")
      .add(text_of(obstacle)).add(", so that they cannot be saved; try again when they were accepted. The computation runs on");
  return host->fail(-EAGAIN, "socket", text.text());
}

/// TCP, more than fits: as it comes, until nothing more is on the way.
int32_t read_all(Socket* one, const PendingHead& head) {
  for (int32_t waited = 0; waited < patience_ms;) {
    InetState client;
    bool arrived = head.client != 0 && inet_state(one->protocol, one->peer, one->local, &client) == 0 && client.send_queue == 0;
    int32_t there = 0;
    sys(SYS_ioctl, one->fd, FIONREAD, pointer(&there));
    uint32_t size = there <= 0 ? 1 : static_cast<uint64_t>(there) < piece ? static_cast<uint32_t>(there) : piece;
    Message* message = add_message(one, size);
    if (message == nullptr) return -ENOMEM;
    long count = sys(SYS_recvfrom, one->fd, pointer(message->data), size, MSG_DONTWAIT, 0, 0);
    message->size = count < 0 ? 0 : static_cast<uint32_t>(count);
    if (count == 0 || (count == -EAGAIN && arrived)) return 0;
    if (count > 0) {
      waited = 0;
      continue;
    }
    if (count != -EAGAIN && count != -EINTR) return static_cast<int32_t>(count);
    pause_a_moment();
    waited += 2;
  }
  return -ETIMEDOUT;
}

int32_t read_tcp(Pending* pending) {
  Socket& one = pending->socket;
  InetState client;
  struct tcp_info info = {};
  uint32_t size = sizeof info;
  (void)describe_tcp(&one);
  one.role = Role::waiting;
  sys(SYS_getsockopt, one.fd, IPPROTO_TCP, TCP_INFO, pointer(&info), pointer(&size));
  bool arrived = has_ended(info.tcpi_state);
  // What a client that has gone had still to send comes as long as there is room for it, and then its end.
  if (!arrived && pending->head.client != 0) arrived = inet_state(one.protocol, one.peer, one.local, &client) == 0 && client.send_queue == 0;
  return arrived ? save_queue(&one) : read_all(&one, pending->head);
}

int32_t read_unix(Pending* pending) {
  Socket& one = pending->socket;
  int32_t yes = 1;
  sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_PASSCRED, pointer(&yes), sizeof yes);
  UnixState state;
  if (unix_state(one.inode, &state) == 0) one.shutdown = state.shutdown;
  open_passed(true);
  int32_t error = save_queue(&one);
  open_passed(false);
  return error < 0 ? error : refuse_deeper();
}

/// Of a client that several processes have: the one that had connected it, so that its peer is told the same.
int32_t doer_of(const Listening& of, const Pending& pending) {
  int64_t process = 0, any = 0;
  auto client = static_cast<int64_t>(pending.head.client);
  if (client != 0 && !get(doers, client, &process)) process = 0;
  if (of.family != AF_UNIX) return client != 0 ? static_cast<int32_t>(process) : host->virtual_pid();
  struct ucred credentials = {};
  uint32_t size = sizeof credentials;
  sys(SYS_getsockopt, pending.socket.fd, SOL_SOCKET, SO_PEERCRED, pointer(&credentials), pointer(&size));
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  int32_t first = ids != nullptr && credentials.pid > 0 ? ids->to_virtual(credentials.pid) : credentials.pid;
  bool lives = host->get_name(CAIRN_NAMES_PROCESS, first, &any) == 0 && sys(SYS_kill, credentials.pid, 0) != -ESRCH;
  if (client == 0) return lives ? first : host->virtual_pid();
  return lives && get(sharers, sharer_key(pending.head.client, first), &any) ? first : static_cast<int32_t>(process);
}

void close_end(const Listening& of, Socket* one) {
  struct linger at_once = {1, 0};
  if (of.family != AF_UNIX) sys(SYS_setsockopt, one->fd, SOL_SOCKET, SO_LINGER, pointer(&at_once), sizeof at_once);
  sys(SYS_close, one->fd);
  one->fd = -1;
}

int32_t accept_one(Listening* of) {
  // Memory first: what was accepted has to be given back.
  auto* pending = static_cast<Pending*>(take_memory(sizeof(Pending)));
  if (pending == nullptr) return -ENOMEM;
  long fd = sys(SYS_accept4, of->fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return static_cast<int32_t>(fd);
  Socket& one = pending->socket;
  one.fd = static_cast<int32_t>(fd);
  one.inode = inode_of_socket(one.fd);
  one.family = of->family;
  one.type = of->type;
  one.protocol = of->protocol;
  one.role = Role::waiting;
  one.helper = -1;
  one.queue_end = &one.queue;
  read_addresses(one.fd, &one.local, &one.peer);
  one.shown_local = of->family == AF_UNIX ? of->shown : one.local;
  if (of->family != AF_UNIX) (void)moved_from(one.type, &one.shown_local);
  one.shown_peer = one.peer;
  UnixState state;
  int64_t client = 0;
  if (of->family != AF_UNIX) (void)get(tcp_clients, address_key(SOCK_STREAM, one.peer, &one.local), &client);
  else if (unix_state(one.inode, &state) == 0) client = state.peer;
  pending->head.accepted = one.inode;
  pending->head.client = static_cast<uint64_t>(client);
  pending->head.doer = doer_of(*of, *pending);
  *of->end = pending;
  of->end = &pending->head.next;
  if (client == 0) ++of->gone;
  int32_t error = of->family == AF_UNIX ? read_unix(pending) : read_tcp(pending);
  for (const Message* message = one.queue; message != nullptr; message = message->next) ++pending->head.messages;
  close_end(*of, &one);
  return error;
}

int32_t take_from(Listening* of) {
  Look look = of->family == AF_UNIX ? look_at_unix(*of) : look_at_tcp(*of);
  if (!look.needed || look.foreign) return 0;
  if (look.obstacle != Obstacle::none) return refuse_obstacle(*of, look.obstacle);
  if (of->queued > most) return refuse_obstacle(*of, Obstacle::none);
  of->taken = true;
  of->gone = 0;
  int32_t error = 0;
  for (uint32_t i = 0; i < of->queued && is_readable(of->fd); ++i) {
    int32_t result = accept_one(of);
    if (result < 0 && error == 0) error = result;
  }
  tell(gone_clients, static_cast<int64_t>(of->inode), of->gone);
  tell(turns, static_cast<int64_t>(of->inode), 0);
  tell(states, static_cast<int64_t>(of->inode), static_cast<int64_t>(PendingState::taken));
  return error < 0 ? host->fail(error, "socket", "what waits in connections that were not accepted yet cannot be read") : 0;
}

}  // namespace

int32_t take() {
  for (Listening* one = listenings; one != nullptr; one = one->next) {
    if (one->taken) continue;
    int32_t error = take_from(one);
    if (!one->taken) tell(states, static_cast<int64_t>(one->inode), static_cast<int64_t>(PendingState::untouched));
    if (error < 0) return error;
  }
  return 0;
}

}  // namespace cairn::sockets::pending
