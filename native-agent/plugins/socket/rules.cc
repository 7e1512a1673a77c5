// What becomes of connections that leave the computation: by the first pattern that fits the address of the peer, else by the option
// socket.outside; else a plugin may want them (outside.cc), or they are refused. Here also: the table "connection". [running, quiesced] Tests: test/probes/refusals.test.ts
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

/// * stands for any characters, ? for one.
bool fits(const char* pattern, const char* end, const char* text) {
  for (; pattern < end; ++pattern, ++text) {
    if (*pattern == '*') {
      for (const char* rest = text;; ++rest) {
        if (fits(pattern + 1, end, rest)) return true;
        if (*rest == 0) return false;
      }
    }
    if (*text == 0 || (*pattern != '?' && *pattern != *text)) return false;
  }
  return *text == 0;
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

void emit_socket(int32_t fd, cairn_emit_row emit, void* context) {
  int32_t family = option_of(fd, SO_DOMAIN);
  if (family < 0 || host->own_fd(fd) != 0) return;
  Address local = {}, peer = {};
  read_addresses(fd, &local, &peer);
  Address shown_local = local, shown_peer = peer;
  if (!shown_address(fd, 0, &shown_local)) to_shown(&shown_local);
  if (!shown_address(fd, 1, &shown_peer)) to_shown(&shown_peer);
  bool listens = option_of(fd, SO_ACCEPTCONN) == 1, connected = peer.size != 0 && family != AF_NETLINK;
  Text<512> name, real, detail;
  name.add(int64_t{fd}).add(" ");
  add_address(&name, shown_local);
  add_address(&real, local);
  if (connected) {
    name.add(" - ");
    add_address(&name, shown_peer);
    real.add(" - ");
    add_address(&real, peer);
  }
  detail.add(family_name(family)).add(", ").add(type_name(option_of(fd, SO_TYPE))).add(listens ? ", listening" : connected ? ", connected" : "");
  static const char* const words[] = {"refuse", "refuse", "close", "external"};
  if (connected) detail.add("; leading outside: ").add(words[static_cast<uint32_t>(rule_for(shown_peer))]);
  const cairn_row row = {sizeof row, 0, name.text(), real.text(), "", detail.text(), 0};
  emit(context, &row);
}

}  // namespace

Leading rule_for(const Address& peer) {
  Text<512> address;
  add_address(&address, peer);
  static const struct {
    const char* word;
    Leading meaning;
  } kinds[] = {{"refuse ", Leading::refused}, {"close ", Leading::closed}, {"external ", Leading::external}};
  const char* rules = plugin::option(host, "connections");
  for (const char* line = rules; line != nullptr && *line != 0;) {
    const char* end = line;
    while (*end != 0 && *end != '\n') ++end;
    for (const auto& kind : kinds) {
      const char* pattern;
      if (plugin::begins(line, kind.word, &pattern) && fits(pattern, end, address.text())) return kind.meaning;
    }
    line = *end == 0 ? end : end + 1;
  }
  const char* outside = plugin::option(host, "socket.outside");
  if (outside != nullptr && plugin::same(outside, "close")) return Leading::closed;
  return outside != nullptr && plugin::same(outside, "external") ? Leading::external : Leading::unsaid;
}

void rows(const char* table, cairn_emit_row emit, void* context) {
  if (!plugin::same(table, "connection")) return;
  (void)plugin::for_each_entry(host, "/proc/thread-self/fd", [&](long folder, const plugin::KernelDirent& entry) {
    const char* name = entry.name;
    int64_t number = 0;
    if (plugin::read_number(&name, 10, &number) && number != folder) emit_socket(static_cast<int32_t>(number), emit, context);
    return false;
  });
}

}  // namespace cairn::sockets
