// The table "connection": the sockets of this process with both their ends, what state they are in, and who is at the other end: a process of
// the computation, or somebody outside and what is to become of that. [running, quiesced] Test: test/probes/tables.test.ts
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "common/given.h"
#include "common/handles.h"
#include "socket/socket.h"

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif

namespace cairn::sockets {
namespace {

/// Who has which socket, as a look at a process's descriptors finds it.
struct Owner {
  uint64_t inode;
  int32_t process;  // virtual pid
  int32_t fd;
};
constexpr uint32_t capacity = 8192;
Owner owners[capacity];
uint32_t owner_count = 0;

void find_in(int64_t virtual_id, int64_t real_id) {
  Text<64> path;
  // Of this one by a thread that is there: the first one may have ended.
  path.add("/proc/").add(real_id);
  if (real_id == host->real_pid()) path.add("/task/").add(static_cast<int64_t>(sys(SYS_gettid)));
  path.add("/fd");
  const uint32_t before = owner_count;
  auto note = [&](long folder, const plugin::KernelDirent& entry) {
    char link[64];
    long length = sys(SYS_readlinkat, folder, pointer(entry.name), pointer(link), sizeof link - 1);
    const char* name = entry.name;
    const char* rest;
    int64_t fd = 0, inode = 0;
    if (length <= 0 || !plugin::read_number(&name, 10, &fd)) return false;
    link[length] = 0;
    if (!plugin::begins(link, "socket:[", &rest) || !plugin::read_number(&rest, 10, &inode)) return false;
    if (real_id == host->real_pid() && host->own_fd(static_cast<int32_t>(fd)) != 0) return false;
    if (owner_count < capacity) owners[owner_count++] = {static_cast<uint64_t>(inode), static_cast<int32_t>(virtual_id), static_cast<int32_t>(fd)};
    return false;
  };
  plugin::aside(host, [&] {
    owner_count = before;
    (void)plugin::for_each_entry(host, path.text(), note);
  });
}

/// Of the other processes. Only where somebody's other end is looked for: where all processes look at all, it is their square.
bool others_known = false;
void find_others() {
  if (others_known) return;
  others_known = true;
  uint32_t index = 0;
  int64_t virtual_id, real_id;
  while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) {
    if (real_id != host->real_pid()) find_in(virtual_id, real_id);
  }
}

// Hash of the inode of somebody's socket -> that inode, and when a look into all processes began that did not find it: all of them may have
// one socket, or ask at about the same time for theirs.
constexpr uint32_t sought_in_vain = plugin::name_space("socket.sought");
constexpr uint64_t sought_keys = 256;
constexpr uint32_t fresh_ms = 200;

uint32_t now_ms() {
  struct timespec now = {};
  sys(SYS_clock_gettime, CLOCK_MONOTONIC, pointer(&now));
  return static_cast<uint32_t>(plugin::nanoseconds_of(now) / 1'000'000);
}

bool just_sought(uint64_t inode, uint32_t now) {
  int64_t mark = 0;
  if (host->get_name(sought_in_vain, static_cast<int64_t>(inode % sought_keys), &mark) < 0) return false;
  return static_cast<uint64_t>(mark) >> 32 == (inode & 0xffffffffu) && now - static_cast<uint32_t>(mark) <= fresh_ms;
}

void note_sought(uint64_t inode, uint32_t began) {
  host->set_name(sought_in_vain, static_cast<int64_t>(inode % sought_keys), static_cast<int64_t>(inode << 32 | began));
}

const Owner* owner_of(uint64_t inode) {
  if (inode == 0) return nullptr;
  const uint32_t began = now_ms();
  if (!others_known && just_sought(inode, began)) return nullptr;
  const bool looked = !others_known;
  find_others();
  const Owner* found = nullptr;
  for (uint32_t i = 0; i < owner_count; ++i) {
    bool lower = found == nullptr || owners[i].process < found->process || (owners[i].process == found->process && owners[i].fd < found->fd);
    if (owners[i].inode == inode && lower) found = &owners[i];
  }
  if (found == nullptr && looked) note_sought(inode, began);
  return found;
}

const char* type_name(int32_t type) { return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "datagram" : type == SOCK_SEQPACKET ? "packets" : "raw"; }
const char* family_name(int32_t family) {
  return family == AF_UNIX ? "Unix" : family == AF_INET ? "IPv4" : family == AF_INET6 ? "IPv6" : family == AF_NETLINK ? "netlink" : "other";
}

int32_t option_of(int32_t fd, int name) {
  int32_t value = 0;
  uint32_t size = sizeof value;
  return sys(SYS_getsockopt, fd, SOL_SOCKET, name, pointer(&value), pointer(&size)) < 0 ? -1 : value;
}

const char* tcp_state(int32_t fd) {
  static const char* const names[] = {"", "connected", "connecting", "being accepted", "closed for sending", "closed for sending",
                                      "closed", "not connected", "closed by its peer", "closing", "listening", "closing"};
  struct tcp_info info = {};
  uint32_t size = sizeof info;
  if (sys(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, pointer(&info), pointer(&size)) < 0 || info.tcpi_state >= sizeof names / sizeof names[0]) return "";
  return names[info.tcpi_state];
}

struct State {
  const char* word;
  uint32_t waiting;     // listening: connections that were not accepted yet
  uint64_t peer_inode;  // 0: nobody has the other end, or the kernel does not tell
  bool connected;
};

void unix_look(uint64_t inode, const Address& peer, State* state) {
  UnixState found;
  if (unix_state(inode, &found) < 0) return;
  state->waiting = found.waiting_count;
  state->peer_inode = found.peer;
  state->connected = found.has_peer || peer.size != 0;
  state->word = found.state == TCP_LISTEN ? "listening" : !state->connected ? "not connected"
              : found.shutdown == 3 ? "closed" : found.shutdown == 2 ? "closed for sending" : found.shutdown == 1 ? "closed by its peer" : "connected";
}

void inet_look(int32_t fd, int32_t type, int32_t protocol, const Address& local, const Address& peer, State* state) {
  state->connected = peer.size != 0;
  state->word = type == SOCK_STREAM ? tcp_state(fd) : state->connected ? "connected" : "not connected";
  InetState found;
  if (type == SOCK_STREAM && plugin::same(state->word, "listening")) {
    struct tcp_info info = {};
    uint32_t size = sizeof info;
    if (sys(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, pointer(&info), pointer(&size)) == 0) state->waiting = info.tcpi_unacked;
  } else if (state->connected && inet_state(protocol, peer, local, &found) == 0) {
    state->peer_inode = found.inode;
  }
}

void add_other_end(Text<512>* detail, int32_t fd, bool given, const State& state, const Address& shown_peer) {
  static const char* const words[] = {"refuse unless a plugin wants it", "refuse", "close", "external"};
  auto* externals = static_cast<const cairn_externals*>(host->extension("cairn.external/1"));
  char name[64];
  // What the first process was started with leads outside, and all processes may have it.
  const Owner* owner = given ? nullptr : owner_of(state.peer_inode);
  if (externals != nullptr && externals->marked(fd, name, sizeof name) >= 0) detail->add("; outside: external, marked \"").add(name).add("\"");
  else if (owner != nullptr) detail->add("; inside: process ").add(int64_t{owner->process}).add(", descriptor ").add(int64_t{owner->fd});
  else detail->add("; outside: ").add(words[static_cast<uint32_t>(rule_for(shown_peer))]);
}

void emit_socket(int32_t fd, uint64_t inode, cairn_emit_row emit, void* context) {
  int32_t family = option_of(fd, SO_DOMAIN), type = option_of(fd, SO_TYPE);
  if (family < 0) return;
  Address local = {}, peer = {};
  read_addresses(fd, &local, &peer);
  Address shown_local = local, shown_peer = peer;
  if (!shown_address(fd, 0, &shown_local)) to_shown(&shown_local);
  if (!shown_address(fd, 1, &shown_peer)) to_shown(&shown_peer);
  State state = {};
  state.word = "";
  if (family == AF_UNIX) unix_look(inode, peer, &state);
  else if (family == AF_INET || family == AF_INET6) inet_look(fd, type, option_of(fd, SO_PROTOCOL), local, peer, &state);
  Text<512> name, real, detail;
  name.add(int64_t{fd}).add(" ");
  add_address(&name, shown_local);
  add_address(&real, local);
  if (state.connected) {
    name.add(" - ");
    add_address(&name, shown_peer);
    real.add(" - ");
    add_address(&real, peer);
  }
  detail.add(family_name(family)).add(", ").add(type_name(type));
  if (state.word[0] != 0) detail.add(", ").add(state.word);
  if (state.waiting > 0) detail.add(", ").add(int64_t{state.waiting}).add(" not accepted yet");
  int32_t unread = 0, unsent = 0;
  if (state.connected && sys(SYS_ioctl, fd, FIONREAD, pointer(&unread)) == 0 && unread > 0) detail.add(", ").add(int64_t{unread}).add(" bytes to read");
  // Of a Unix socket the kernel counts its own memory.
  if (state.connected && family != AF_UNIX && sys(SYS_ioctl, fd, SIOCOUTQ, pointer(&unsent)) == 0 && unsent > 0) detail.add(", ").add(int64_t{unsent}).add(" bytes on the way");
  if (state.connected) add_other_end(&detail, fd, plugin::was_given(host, S_IFSOCK, inode), state, shown_peer);
  const cairn_row row = {sizeof row, 0, name.text(), real.text(), "", detail.text(), 0};
  emit(context, &row);
}

}  // namespace

void rows(const char* table, cairn_emit_row emit, void* context) {
  if (!plugin::same(table, "connection")) return;
  owner_count = 0;
  others_known = false;
  find_in(host->virtual_pid(), host->real_pid());
  const uint32_t own = owner_count;
  for (uint32_t i = 0; i < own; ++i) emit_socket(owners[i].fd, owners[i].inode, emit, context);
}

}  // namespace cairn::sockets
