// Names that somebody else has at a restart: of a run that goes on, of another restart, or of connections that the kernel has not
// forgotten yet. The socket gets another port (of an abstract name: a longer name), and everybody in the computation who asks for the
// old one is led to the new one, and is shown the old one. By shared names, told before any thread runs. [any]
// Test: test/probes/moved.test.ts.
#include <netinet/in.h>
#include <sys/un.h>

#include "common/handles.h"
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

constexpr uint32_t path_offset = offsetof(sockaddr_un, sun_path);
constexpr uint32_t space_base = plugin::name_space("socket.moved");
// by_name: (kind, old name) -> new port, or who has made the longer name; by_port: (kind, new port) -> old port. Key 0 of by_name: there
// are some. asked: (kind, old port) -> somebody has looked whether others have it.
enum Space : uint32_t { by_name = space_base, by_port, asked };

bool is_inet(const Address& address) { return address.family() == AF_INET || address.family() == AF_INET6; }
bool is_abstract(const Address& address) { return address.family() == AF_UNIX && is_named(address) && !has_path(address); }
int64_t port_key(int32_t type, uint32_t port) { return (int64_t{type} << 32) | port; }

bool any() {
  int64_t value = 0;
  return host->get_name(by_name, 0, &value) == 0;
}

/// An address of this host: a socket could be bound to it.
bool is_local(Address address) {
  if (is_any(address) || is_loopback(address)) return true;
  long fd = sys(SYS_socket, address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  set_port(&address, 0);
  long result = sys(SYS_bind, fd, pointer(address.bytes), address.size);
  sys(SYS_close, fd);
  return result == 0;
}

Address any_address(int32_t family, uint32_t port) {
  Address address = {};
  *reinterpret_cast<uint16_t*>(address.bytes) = static_cast<uint16_t>(family);
  address.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  set_port(&address, port);
  return address;
}

bool new_port(int32_t type, const Address& name, int64_t* port) { return host->get_name(by_name, address_key(type, name, nullptr), port) == 0; }

/// Where the first of those went that share a port.
bool moved_port(int32_t type, uint32_t port, int64_t* now) {
  return host->get_name(asked, port_key(type, port), now) == 0 && *now > 1;
}

bool lengthen(Address* address, int64_t maker) {
  Text<32> end;
  end.add("~cairn").add(maker);
  if (address->size + end.size() > sizeof(sockaddr_un)) return false;
  copy_bytes(address->bytes + address->size, end.text(), end.size());
  address->size += static_cast<uint32_t>(end.size());
  return true;
}

/// The name before it was made longer.
bool shorten(int32_t type, Address* address) {
  for (uint32_t end = address->size; end-- > path_offset + 1;) {
    if (address->bytes[end] >= '0' && address->bytes[end] <= '9') continue;
    constexpr char mark[] = "~cairn";
    constexpr uint32_t length = sizeof mark - 1;
    if (end + 1 < path_offset + 1 + length) return false;
    Address before = {}, longer = {};
    before.size = end + 1 - length;
    copy_bytes(before.bytes, address->bytes, before.size);
    longer = before;
    int64_t maker = 0;
    if (!new_port(type, before, &maker) || !lengthen(&longer, maker) || !same_address(longer, *address)) return false;
    *address = before;
    return true;
  }
  return false;
}

bool is_on(const Socket& one, int name) {
  int32_t value = 0;
  uint32_t size = sizeof value;
  return sys(SYS_getsockopt, one.fd, SOL_SOCKET, name, pointer(&value), pointer(&size)) == 0 && value != 0;
}

/// Whether somebody has the address, also who would share it.
bool is_occupied(const Socket& one) {
  long fd = sys(SYS_socket, one.family, one.type | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  int32_t yes = 1, alone = 0;
  uint32_t size = sizeof alone;
  if (one.family == AF_INET6 && sys(SYS_getsockopt, one.fd, IPPROTO_IPV6, IPV6_V6ONLY, pointer(&alone), pointer(&size)) == 0)
    sys(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, pointer(&alone), sizeof alone);
  // What a connection that has ended leaves behind is in nobody's way.
  if (is_stream(one)) sys(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, pointer(&yes), sizeof yes);
  long result = sys(SYS_bind, fd, pointer(one.shown_local.bytes), one.shown_local.size);
  sys(SYS_close, fd);
  return result == -EADDRINUSE;
}

}  // namespace

bool shares_address(const Socket& one) {
  if (!is_inet(one.shown_local) || port_of(one.shown_local) == 0) return false;
  const OptionValue* reuse = reuse_address(one);
  return is_on(one, SO_REUSEPORT) || (!is_stream(one) && reuse != nullptr);
}

int32_t bind_shared(const Socket& one) {
  const Address locked = any_address(AF_INET, port_of(one.shown_local));
  int32_t yes = 1;
  int64_t value = 0;
  if (reuse_address(one) != nullptr) sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_REUSEADDR, pointer(&yes), sizeof yes);
  lock_name(locked);
  bool first = host->claim_name(asked, port_key(one.type, port_of(one.shown_local)), 1, &value) == 0;
  int32_t result = 0;
  if (first && is_occupied(one)) {
    result = bind_elsewhere(one);
  } else if (any() && (new_port(one.type, one.shown_local, &value) || moved_port(one.type, port_of(one.shown_local), &value))) {
    Address name = one.shown_local;
    set_port(&name, static_cast<uint32_t>(value));
    result = static_cast<int32_t>(sys(SYS_bind, one.fd, pointer(name.bytes), name.size));
    if (result == 0) host->set_name(by_name, address_key(one.type, one.shown_local, nullptr), value);
  } else {
    result = bind_name(one.fd, one.shown_local, true, 0);
  }
  unlock_name(locked);
  return result;
}

int32_t bind_elsewhere(const Socket& one) {
  Address name = one.shown_local;
  int64_t value = host->real_pid();
  if (is_inet(name)) set_port(&name, 0);
  else if (!is_abstract(name) || !lengthen(&name, value)) return -EADDRINUSE;
  if (long error = sys(SYS_bind, one.fd, pointer(name.bytes), name.size); error < 0) return static_cast<int32_t>(error);
  if (is_inet(name)) {
    Address none = {};
    read_addresses(one.fd, &name, &none);
    value = port_of(name);
    host->set_name(by_port, port_key(one.type, static_cast<uint32_t>(value)), port_of(one.shown_local));
    if (shares_address(one)) host->set_name(asked, port_key(one.type, port_of(one.shown_local)), value);
  }
  host->set_name(by_name, address_key(one.type, one.shown_local, nullptr), value);
  return host->set_name(by_name, 0, 1);
}

bool moved_to(int32_t type, Address* address) {
  if (!any()) return false;
  int64_t value = 0;
  if (is_abstract(*address)) return new_port(type, *address, &value) && lengthen(address, value);
  uint32_t port = port_of(*address);
  if (port == 0) return false;
  bool found = new_port(type, *address, &value);
  // Those that listen at all addresses of this host; and one at the loopback address, for who asks for any.
  // Of one's own family first: the other's may be another socket.
  int32_t own = address->family(), other = own == AF_INET ? AF_INET6 : AF_INET;
  if (!found) found = (new_port(type, any_address(own, port), &value) || new_port(type, any_address(other, port), &value)) && is_local(*address);
  if (found) set_port(address, static_cast<uint32_t>(value));
  return found;
}

bool moved_from(int32_t type, Address* address) {
  int64_t port = 0;
  if (is_abstract(*address)) return any() && shorten(type, address);
  if (!is_inet(*address) || !any() || !is_local(*address)) return false;
  if (host->get_name(by_port, port_key(type, port_of(*address)), &port) < 0) return false;
  set_port(address, static_cast<uint32_t>(port));
  return true;
}

int32_t type_of(int32_t fd) {
  int32_t type = 0;
  uint32_t size = sizeof type;
  return any() && sys(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, pointer(&type), pointer(&size)) == 0 ? type : 0;
}

}  // namespace cairn::sockets
