// Socket addresses: reading, comparing and showing them. Where the files of Unix sockets' names are: place.cc. [quiesced, restoring; any
// where said so] Test: test/probes/sockets.
#include <netinet/in.h>
#include <sys/un.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

constexpr uint32_t path_offset = offsetof(sockaddr_un, sun_path);

}  // namespace

bool has_path(const Address& address) { return address.family() == AF_UNIX && address.size > path_offset && address.bytes[path_offset] != 0; }

/// The path of a name, with a zero at its end.
Text<128> path_text(const Address& address) {
  Text<128> path;
  char text[sizeof address.bytes];
  uint32_t length = address.size - path_offset;
  copy_bytes(text, address.bytes + path_offset, length);
  text[length] = 0;
  return path.add(text), path;
}

Address path_address(const char* path) {
  Address address = {};
  uint32_t length = static_cast<uint32_t>(plugin::length_of(path));
  // A last part too long for any address: cut, and the kernel says so.
  if (length + path_offset + 1 > sizeof address.bytes) length = sizeof address.bytes - path_offset - 1;
  *reinterpret_cast<uint16_t*>(address.bytes) = AF_UNIX;
  copy_bytes(address.bytes + path_offset, path, length);
  address.size = path_offset + length + 1;
  return address;
}

void read_addresses(int32_t fd, Address* local, Address* peer) {
  *local = *peer = {};
  uint32_t size = sizeof local->bytes - 1;
  if (sys(SYS_getsockname, fd, pointer(local->bytes), pointer(&size)) == 0) local->size = size;
  size = sizeof peer->bytes - 1;
  if (sys(SYS_getpeername, fd, pointer(peer->bytes), pointer(&size)) == 0) peer->size = size;
}

bool same_address(const Address& one, const Address& other) {
  if (one.size != other.size) return false;
  for (uint32_t i = 0; i < one.size; ++i) {
    if (one.bytes[i] != other.bytes[i]) return false;
  }
  return true;
}

bool is_named(const Address& address) {
  return address.family() == AF_UNIX ? address.size > path_offset : port_of(address) != 0;
}

uint32_t port_of(const Address& address) {
  if (address.family() != AF_INET && address.family() != AF_INET6) return 0;
  auto* port = reinterpret_cast<const unsigned char*>(address.bytes + 2);
  return port[0] * 256u + port[1];
}

void set_port(Address* address, uint32_t port) {
  address->bytes[2] = static_cast<char>(port >> 8);
  address->bytes[3] = static_cast<char>(port);
}

bool is_any(const Address& address) {
  uint32_t from = address.family() == AF_INET ? 4 : 8, size = address.family() == AF_INET ? 4 : 16;
  for (uint32_t i = 0; i < size; ++i) {
    if (address.bytes[from + i] != 0) return false;
  }
  return true;
}

Address as_family(const Address& given, int32_t family) {
  auto* six = reinterpret_cast<const sockaddr_in6*>(given.bytes);
  Address result = {};
  if (family == AF_INET && given.family() == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
    auto* four = reinterpret_cast<sockaddr_in*>(result.bytes);
    four->sin_family = AF_INET;
    four->sin_port = six->sin6_port;
    copy_bytes(&four->sin_addr, given.bytes + 20, 4);
    result.size = sizeof(sockaddr_in);
    return result;
  }
  if (family == AF_INET6 && given.family() == AF_INET) {
    auto* mapped = reinterpret_cast<sockaddr_in6*>(result.bytes);
    mapped->sin6_family = AF_INET6;
    copy_bytes(&mapped->sin6_port, given.bytes + 2, 2);
    result.bytes[18] = result.bytes[19] = static_cast<char>(0xff);
    copy_bytes(result.bytes + 20, given.bytes + 4, 4);
    result.size = sizeof(sockaddr_in6);
    return result;
  }
  return given;
}

bool is_loopback(const Address& given) {
  Address address = as_family(given, AF_INET);
  if (address.family() == AF_INET) return address.bytes[4] == 127;
  auto* six = reinterpret_cast<const sockaddr_in6*>(address.bytes);
  return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

void add_address(Text<512>* text, const Address& address) {
  auto* bytes = reinterpret_cast<const unsigned char*>(address.bytes);
  if (address.family() == AF_INET) {
    for (int i = 0; i < 4; ++i) text->add(i > 0 ? "." : "").add(int64_t{bytes[4 + i]});
    text->add(":").add(int64_t{port_of(address)});
  } else if (address.family() == AF_INET6) {
    Address four = as_family(address, AF_INET);
    if (four.family() == AF_INET) return add_address(text, four);
    const char* digits = "0123456789abcdef";
    text->add("[");
    for (int i = 0; i < 16; ++i) {
      char pair[3] = {digits[bytes[8 + i] >> 4], digits[bytes[8 + i] & 15], 0};
      text->add(i > 0 && i % 2 == 0 ? ":" : "").add(pair);
    }
    text->add("]:").add(int64_t{port_of(address)});
  } else if (has_path(address)) {
    text->add(path_text(address).text());
  } else if (is_named(address)) {
    text->add("@");
    for (uint32_t i = path_offset + 1; i < address.size; ++i) {
      char letter[2] = {bytes[i] >= 32 && bytes[i] < 127 ? address.bytes[i] : '?', 0};
      text->add(letter);
    }
  } else {
    text->add("unnamed");
  }
}

void to_shown(Address* address) {
  if (!has_path(*address) || address->bytes[path_offset] != '/') return;
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  char path[4096];
  if (paths == nullptr || paths->to_virtual(path_text(*address).text(), path, sizeof path) < 0) return;
  if (plugin::length_of(path) + path_offset + 1 < sizeof address->bytes) *address = path_address(path);
}

}  // namespace cairn::sockets
