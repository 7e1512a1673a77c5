// Socket addresses: reading, comparing, showing, and giving a socket its name again. Names of Unix sockets below the working folder
// come back in the run folder, like the files there; all other names at their own place. Test: test/probes/sockets.
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

namespace {

char folder[4096];  // virtual working folder at the checkpoint

Text<4300> whole_path(const Address& shown) {
  Text<4300> path;
  Text<128> name = path_text(shown);
  if (name.text()[0] != '/') path.add(folder).add("/");
  path.add(name.text());
  return path;
}

/// Where a name's file is to be in this run. 0 or -errno.
int32_t real_path(const Address& shown, char* real, uint32_t capacity) {
  Text<4300> path = whole_path(shown);
  const char* run_folder = nullptr;
  const char* below = nullptr;
  if (host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &run_folder) != nullptr && folder[0] != 0 &&
      plugin::begins(path.text(), folder, &below) && below[0] == '/') {
    Text<4300> target;
    target.add(run_folder).add(below);
    if (target.size() >= capacity) return -ENAMETOOLONG;
    copy_bytes(real, target.text(), target.size() + 1);
    for (uint32_t i = 1; real[i] != 0; ++i) {
      if (real[i] != '/') continue;
      real[i] = 0;
      sys(SYS_mkdir, pointer(real), 0777);
      real[i] = '/';
    }
    return 0;
  }
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  int32_t length = paths != nullptr ? paths->to_real(path.text(), real, capacity) : -ENOSYS;
  return length < 0 ? length : 0;
}

bool exists(const char* path, uint32_t* mode) {
  struct stat status = {};
  bool there = sys(SYS_newfstatat, AT_FDCWD, pointer(path), pointer(&status), 0x100 /* AT_SYMLINK_NOFOLLOW */) == 0;
  *mode = status.st_mode;
  return there;
}

/// A name that a dead socket left behind may be used again; one that belongs to somebody may not. Asking is connecting a
/// datagram socket: whatever is there is found, and learns nothing of it.
int32_t clear_place(const char* path, const Address& address) {
  uint32_t mode = 0;
  if (!exists(path, &mode)) return 0;
  if (!S_ISSOCK(mode)) return -EADDRINUSE;
  long probe = sys(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  long result = sys(SYS_connect, probe, pointer(address.bytes), address.size);
  sys(SYS_close, probe);
  return result == -ECONNREFUSED ? static_cast<int32_t>(sys(SYS_unlink, pointer(path))) : -EADDRINUSE;
}

}  // namespace

void note_folder() {
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  char real[4096];
  folder[0] = 0;
  if (paths != nullptr && sys(SYS_getcwd, pointer(real), sizeof real) > 0) (void)paths->to_virtual(real, folder, sizeof folder);
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

bool file_of(const Address& shown, uint32_t inode, uint32_t* mode) {
  if (!has_path(shown)) return false;
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  char real[4096];
  struct stat status = {};
  if (paths == nullptr || paths->to_real(whole_path(shown).text(), real, sizeof real) < 0) return false;
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(real), pointer(&status), 0) < 0) return false;
  *mode = status.st_mode;
  return S_ISSOCK(status.st_mode) && static_cast<uint32_t>(status.st_ino) == inode;
}

int32_t bind_name(int32_t fd, const Address& shown, bool keep, uint32_t mode) {
  if (!is_named(shown)) return 0;
  if (!has_path(shown)) return static_cast<int32_t>(sys(SYS_bind, fd, pointer(shown.bytes), shown.size));
  char path[4400];
  if (int32_t error = real_path(shown, path, sizeof path); error < 0) return error;
  Text<128> name = path_text(shown);
  uint32_t length = static_cast<uint32_t>(plugin::length_of(path));
  // The name shall be, letter for letter, what the application gave; so a relative one is given from its own folder. The
  // process gets its working folder later. A path too long for an address is given by its last part, and shown as it was.
  uint32_t part = length;
  while (part > 0 && path[part - 1] != '/') --part;
  bool relative = name.text()[0] != '/' && plugin::same(name.text(), path + part);
  Address address = path_address(relative || length + path_offset + 1 < sizeof(sockaddr_un) ? path + (relative ? part : 0) : path + part);
  if (relative || length + path_offset + 1 >= sizeof(sockaddr_un)) {
    char last = path[part];
    path[part] = 0;
    if (long error = sys(SYS_chdir, pointer(path)); error < 0) return static_cast<int32_t>(error);
    path[part] = last;
  }
  uint32_t ignored = 0;
  // What is only named for a moment must not take anything away.
  int32_t result = keep ? clear_place(path, address) : exists(path, &ignored) ? -EADDRINUSE : 0;
  if (result >= 0) result = static_cast<int32_t>(sys(SYS_bind, fd, pointer(address.bytes), address.size));
  if (result < 0) return result;
  if (!keep) sys(SYS_unlink, pointer(path));
  else if (mode != 0) sys(SYS_chmod, pointer(path), static_cast<long>(mode & 07777));
  return 0;
}

int32_t reach(const Address& shown, Address* address) {
  *address = shown;
  if (!has_path(shown)) return 0;
  char path[4400];
  if (int32_t error = real_path(shown, path, sizeof path); error < 0) return error;
  uint32_t length = static_cast<uint32_t>(plugin::length_of(path));
  uint32_t part = 0;
  if (length + path_offset + 1 >= sizeof(sockaddr_un)) {
    for (part = length; part > 0 && path[part - 1] != '/';) --part;
    char last = path[part];
    path[part] = 0;
    if (long error = sys(SYS_chdir, pointer(path)); error < 0) return static_cast<int32_t>(error);
    path[part] = last;
  }
  *address = path_address(path + part);
  return 0;
}

bool is_taken(const Address& shown) {
  char path[4400];
  uint32_t mode = 0;
  return has_path(shown) && (real_path(shown, path, sizeof path) < 0 || exists(path, &mode));
}

void release_name(const Address& shown) {
  char path[4400];
  if (has_path(shown) && real_path(shown, path, sizeof path) == 0) sys(SYS_unlink, pointer(path));
}

}  // namespace cairn::sockets
