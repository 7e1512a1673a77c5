// Connections that were not accepted yet: who waits at which listening socket, and whether that client can be made anew (pending.h). Here
// nothing of the application's is touched, but for SO_REUSEADDR of a client for as long as the threads are stopped. [quiesced]
#include "socket/pending.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "common/handles.h"

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif

namespace cairn::sockets::pending {

Listening* listenings = nullptr;
Client* clients = nullptr;

namespace {

constexpr uint32_t first_space = plugin::name_space("socket.pending");
Told* told = nullptr;

/// Who has told it first and still lives.
bool first_to_tell(Space which, uint64_t inode) {
  int64_t holder = 0, real = 0;
  int32_t result = host->claim_name(space(which), static_cast<int64_t>(inode), host->virtual_pid(), &holder);
  if (result == -EEXIST && holder == host->virtual_pid()) return true;
  if (result == -EEXIST && (host->get_name(CAIRN_NAMES_PROCESS, holder, &real) < 0 || sys(SYS_kill, real, 0) == -ESRCH)) result = 0;
  if (result == 0) tell(which, static_cast<int64_t>(inode), host->virtual_pid());
  return result == 0;
}

Listening* listening_of(uint64_t inode) {
  Listening* one = listenings;
  while (one != nullptr && one->inode != inode) one = one->next;
  return one;
}

struct Children {
  Listening* of;
  int32_t error;
};

/// The kernel's list of connections that nobody has a descriptor of and that came to this port.
void note_child(void* context, const InetState& state, const Address& local, const Address& peer) {
  auto* children = static_cast<Children*>(context);
  Listening* of = children->of;
  if (state.inode != 0 || state.state == TCP_SYN_RECV || state.state == TCP_LISTEN) return;
  if (!is_any(of->local) && address_key(0, of->local, nullptr) != address_key(0, local, nullptr)) return;
  auto* child = static_cast<Child*>(take_memory(sizeof(Child)));
  if (child == nullptr) {
    children->error = -ENOMEM;
    return;
  }
  *child = {of->children, local, peer, state.state, state.receive_queue};
  of->children = child;
  tell(tcp_waiting, address_key(SOCK_STREAM, peer, &local), static_cast<int64_t>(of->inode));
}

int32_t look_at_tcp(Listening* one) {
  struct tcp_info info = {};
  uint32_t size = sizeof info;
  if (sys(SYS_getsockopt, one->fd, IPPROTO_TCP, TCP_INFO, pointer(&info), pointer(&size)) < 0 || info.tcpi_unacked == 0) return 0;
  one->queued = info.tcpi_unacked;
  one->reachable = true;
  Children children = {one, 0};
  int32_t error = inet_children(one->family, one->local, note_child, &children);
  return error < 0 ? error : children.error;
}

void look_at_unix(Listening* one) {
  UnixState state;
  if (unix_state(one->inode, &state) < 0) return;
  one->queued = state.waiting_count;
  for (uint32_t i = 0; i < state.waiting_count; ++i) {
    if (state.waiting[i] == 0) ++one->gone;
    else tell(unix_waiting, state.waiting[i], static_cast<int64_t>(one->inode));
  }
  if (one->queued == 0) return;
  one->target = one->local;
  one->reachable = is_named(one->local) && (!has_path(one->local) || (state.has_file && file_address(one->shown, state.file, &one->target)));
}

int32_t consider_listener(int32_t fd) {
  if (option_of(fd, SO_ACCEPTCONN) != 1) return 0;
  Listening found = {};
  found.fd = fd;
  found.inode = inode_of_socket(fd);
  found.family = option_of(fd, SO_DOMAIN);
  found.type = option_of(fd, SO_TYPE);
  found.protocol = option_of(fd, SO_PROTOCOL);
  bool tcp = (found.family == AF_INET || found.family == AF_INET6) && found.protocol == IPPROTO_TCP;
  // One that was taken from, in a computation that is held since, has what it had.
  if ((!tcp && found.family != AF_UNIX) || listening_of(found.inode) != nullptr) return 0;
  Address none = {};
  read_addresses(fd, &found.local, &none);
  found.shown = found.local;
  if (!shown_address(fd, 0, &found.shown) && !moved_from(found.type, &found.shown)) to_shown(&found.shown);
  auto* one = static_cast<Listening*>(take_memory(sizeof(Listening)));
  if (one == nullptr) return -ENOMEM;
  *one = found;
  one->end = &one->first;
  if (tcp) {
    if (int32_t error = look_at_tcp(one); error < 0) return error;
  } else {
    look_at_unix(one);
  }
  if (one->queued == 0 || !first_to_tell(acceptors, one->inode)) return 0;
  one->next = listenings;
  listenings = one;
  tell(records, static_cast<int64_t>(one->inode), pointer(one));
  tell(layouts, static_cast<int64_t>(one->inode), sizeof(Pending));
  return 0;
}

void hinder(const Client& client, Obstacle what) { tell(obstacles, static_cast<int64_t>(client.socket.inode), static_cast<int64_t>(what)); }

/// Asking a stream's listener by a datagram socket: it is found, may be connected to, and learns nothing of it.
bool may_connect(const Address& target) {
  if (!has_path(target)) return true;
  long fd = sys(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  long result = sys(SYS_connect, fd, pointer(target.bytes), target.size);
  sys(SYS_close, fd);
  return result == -EPROTOTYPE;
}

Obstacle obstacle_of(const Client& client) {
  int64_t any = 0, layout = 0, holder = 0;
  auto inode = static_cast<int64_t>(client.socket.inode);
  if (get(flying, inode, &any)) return Obstacle::flying;
  if (is_marked(client.socket)) return Obstacle::external;
  if (!get(layouts, static_cast<int64_t>(client.listener), &layout) || layout != static_cast<int64_t>(sizeof(Pending))) return Obstacle::layout;
  Listening listener;
  if (!record_of(client.listener, &listener, &holder)) return Obstacle::unreachable;
  if (!is_unix(client.socket)) return Obstacle::none;
  struct stat64 status = {};
  Address place = {};
  if (has_path(client.socket.local) && !has_own_file(client, &place, &status)) return Obstacle::named;
  return listener.reachable && may_connect(listener.target) ? Obstacle::none : Obstacle::unreachable;
}

/// A port that other connections have, too, cannot be bound; but who connects may get it, as this client did. Linux 6.3
bool wish_port(int32_t fd, Address address) {
  uint32_t port = port_of(address), range = port << 16 | port;
  int32_t yes = 1;
  set_port(&address, 0);
  return sys(SYS_setsockopt, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, pointer(&yes), sizeof yes) == 0 &&
         sys(SYS_setsockopt, fd, IPPROTO_IP, ip_local_port_range, pointer(&range), sizeof range) == 0 &&
         sys(SYS_bind, fd, pointer(address.bytes), address.size) == 0;
}

/// The port of before, beside the old one.
Obstacle bind_fresh(Client* client) {
  const Socket& old = client->socket;
  int32_t yes = 1;
  client->reuse_before = option_of(old.fd, SO_REUSEADDR);
  sys(SYS_setsockopt, old.fd, SOL_SOCKET, SO_REUSEADDR, pointer(&yes), sizeof yes);
  sys(SYS_setsockopt, client->fresh, SOL_SOCKET, SO_REUSEADDR, pointer(&yes), sizeof yes);
  bool bound = sys(SYS_bind, client->fresh, pointer(old.local.bytes), old.local.size) == 0;
  return bound || wish_port(client->fresh, old.local) ? Obstacle::none : Obstacle::port;
}

void prepare(Client* client) {
  Socket& old = client->socket;
  bool mine = first_to_tell(doers, old.inode);
  tell(sharers, sharer_key(old.inode, host->virtual_pid()), old.fd);
  if (is_unix(old) && is_named(old.local) && !has_path(old.local)) tell(abstract, static_cast<int64_t>(old.inode), 1);
  int32_t on_the_way = 0;
  sys(SYS_ioctl, old.fd, SIOCOUTQ, pointer(&on_the_way));
  if (on_the_way > 0) tell(unread, static_cast<int64_t>(old.inode), 1);
  Obstacle obstacle = obstacle_of(*client);
  if (obstacle == Obstacle::none) {
    long fd = sys(SYS_socket, old.family, old.type | SOCK_CLOEXEC | SOCK_NONBLOCK, old.protocol);
    if (fd >= 0) client->fresh = plugin::hide_handle(host, fd);
    if (client->fresh < 0) obstacle = Obstacle::descriptors;
  }
  if (obstacle == Obstacle::none) set_options(old, client->fresh);
  if (obstacle == Obstacle::none && !is_unix(old) && mine) obstacle = bind_fresh(client);
  if (obstacle != Obstacle::none) hinder(*client, obstacle);
}

int32_t consider_client(int32_t fd) {
  int32_t family = option_of(fd, SO_DOMAIN), type = option_of(fd, SO_TYPE);
  bool tcp = (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM;
  if ((!tcp && (family != AF_UNIX || type == SOCK_DGRAM)) || option_of(fd, SO_ACCEPTCONN) != 0) return 0;
  Address local = {}, peer = {};
  int64_t listener = 0;
  uint64_t inode = inode_of_socket(fd);
  read_addresses(fd, &local, &peer);
  if (tcp ? !get(tcp_waiting, address_key(type, local, &peer), &listener) : !get(unix_waiting, static_cast<int64_t>(inode), &listener)) return 0;
  if (client_of(inode) != nullptr) return 0;
  auto* client = static_cast<Client*>(take_memory(sizeof(Client)));
  if (client == nullptr) return -ENOMEM;
  Socket& one = client->socket;
  one.fd = fd;
  one.inode = inode;
  one.family = family;
  one.type = type;
  one.protocol = option_of(fd, SO_PROTOCOL);
  one.status_flags = static_cast<uint32_t>(sys(SYS_fcntl, fd, F_GETFL));
  one.local = local;
  one.peer = peer;
  one.helper = -1;
  UnixState state;
  if (tcp) (void)describe_tcp(&one);
  else if (unix_state(inode, &state) == 0) one.shutdown = state.shutdown, client->file = state.has_file ? state.file : 0;
  save_options(&one);
  client->listener = static_cast<uint64_t>(listener);
  client->fresh = client->reuse_before = -1;
  client->next = clients;
  clients = client;
  if (tcp) tell(tcp_clients, address_key(type, local, &peer), static_cast<int64_t>(inode));
  prepare(client);
  return 0;
}

int32_t no_memory(int32_t error) {
  return host->fail(error, "socket", error == -ENOMEM ? "no memory for what waits at a listening socket" : "the kernel does not tell what waits at a listening socket (NETLINK_SOCK_DIAG, INET_DIAG)");
}

const char* const checkpoint_barriers[] = {"listeners", "clients", "accept", "connect", nullptr};
const char* const restart_barriers[] = {"connect", nullptr};

int32_t barrier(const char* name, uint32_t restart) {
  if (restart != 0) return give_back(true);
  if (plugin::same(name, "listeners")) {
    int32_t error = find_listeners();
    return error == 0 && listenings == nullptr && clients == nullptr ? CAIRN_BARRIER_LAST : error;
  }
  if (plugin::same(name, "clients")) return find_clients();
  return plugin::same(name, "accept") ? take() : give_back(false);
}

int32_t event(uint32_t number, void*) {
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      close_ends();
      forget_told(&told);
      listenings = nullptr;
      clients = nullptr;
      return 0;
    case CAIRN_EVENT_PRECHECKPOINT:
      settle_records();
      close_ends();
      return 0;
    case CAIRN_EVENT_RUNNING:
    case CAIRN_EVENT_RESUME:
      close_ends();
      forget_told(&told);
      return 0;
    case CAIRN_EVENT_ABORT:
      abort_pending();
      forget_told(&told);
      return 0;
    case CAIRN_EVENT_RESTART:
      told = nullptr;
      tell_restart();
      return 0;
    default:
      return 0;
  }
}

int32_t init(const cairn_host*, const char*) { return 0; }

}  // namespace

uint32_t space(Space which) { return first_space + which; }

void tell(Space which, int64_t key, int64_t value) { tell_in(&told, space(which), key, value); }

bool get(Space which, int64_t key, int64_t* value) { return host->get_name(space(which), key, value) == 0; }

Client* client_of(uint64_t inode) {
  Client* one = clients;
  while (one != nullptr && one->socket.inode != inode) one = one->next;
  return one;
}

int32_t option_of(int32_t fd, int name) {
  int32_t value = -1;
  uint32_t size = sizeof value;
  return sys(SYS_getsockopt, fd, SOL_SOCKET, name, pointer(&value), pointer(&size)) < 0 ? -1 : value;
}

uint64_t inode_of_socket(int32_t fd) {
  struct stat64 status = {};
  return sys(SYS_fstat, fd, pointer(&status)) < 0 || !S_ISSOCK(status.st_mode) ? 0 : status.st_ino;
}

uint32_t own_numbers(int32_t* numbers, uint32_t capacity) {
  uint32_t count = 0;
  (void)plugin::for_each_entry(host, "/proc/thread-self/fd", [&](long folder, const plugin::KernelDirent& entry) {
    const char* name = entry.name;
    int64_t number = 0;
    if (plugin::read_number(&name, 10, &number) && number != folder && host->own_fd(static_cast<int32_t>(number)) == 0 && count < capacity) {
      numbers[count++] = static_cast<int32_t>(number);
    }
    return false;
  });
  return count;
}

bool record_of(uint64_t listener, Listening* copy, int64_t* holder) {
  int64_t process = 0, address = 0;
  return get(acceptors, static_cast<int64_t>(listener), &process) && get(records, static_cast<int64_t>(listener), &address) &&
         host->get_name(CAIRN_NAMES_PROCESS, process, holder) == 0 && read_of(*holder, reinterpret_cast<const void*>(address), copy, sizeof *copy) == 0;
}

void drop_client(Client* one) {
  if (one->fresh >= 0) host->close_fd(one->fresh);
  one->fresh = -1;
  if (one->reuse_before >= 0 && !one->replaced) sys(SYS_setsockopt, one->socket.fd, SOL_SOCKET, SO_REUSEADDR, pointer(&one->reuse_before), sizeof one->reuse_before);
  one->reuse_before = -1;
}

int32_t find_listeners() {
  static int32_t numbers[8192];
  begin_pending();
  note_folder();
  for_each_passed_socket([](int32_t fd) { tell(flying, static_cast<int64_t>(inode_of_socket(fd)), 1); });
  uint32_t count = own_numbers(numbers, 8192);
  for (uint32_t i = 0; i < count; ++i) {
    if (int32_t error = consider_listener(numbers[i]); error < 0) return no_memory(error);
  }
  return 0;
}

int32_t find_clients() {
  static int32_t numbers[8192];
  uint32_t index = 0;
  int64_t key, value;
  if (host->next_name(space(records), &index, &key, &value) != 0) return 0;
  uint32_t count = own_numbers(numbers, 8192);
  for (uint32_t i = 0; i < count; ++i) {
    if (int32_t error = consider_client(numbers[i]); error < 0) return no_memory(error);
  }
  return 0;
}

}  // namespace cairn::sockets::pending

extern "C" const struct cairn_plugin cairn_plugin_pending = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "pending", "1.0", "Cairn", cairn::sockets::pending::init,
    cairn::sockets::pending::event, nullptr, cairn::sockets::pending::checkpoint_barriers, cairn::sockets::pending::restart_barriers,
    cairn::sockets::pending::barrier,
};
