// libc's functions to which an application gives a socket's name: one of a file is made the real one, as the plugin `path` says, and one
// that was moved leads to where it is (moved.cc). Until a restart they are a flag test. [any] Test: test/probes/sockets/named.c
#include <errno.h>
#include <fcntl.h>
#include <sys/un.h>

#include "socket/away.h"
#include "socket/next.h"

namespace cairn::sockets {
namespace {

Next<int(int, const void*, uint32_t)> next_bind = {"bind", nullptr};
Next<int(int, const void*, uint32_t)> next_connect = {"connect", nullptr};
Next<ssize_t(int, const void*, size_t, int, const void*, uint32_t)> next_sendto = {"sendto", nullptr};
Next<ssize_t(int, const struct msghdr*, int)> next_sendmsg = {"sendmsg", nullptr};

/// What the kernel is given instead of a name. Lives during the call.
class Real {
 public:
  Real(int32_t fd, const void* given, uint32_t size, bool creates) : address(given), size(size) {
    if (!translates() || given == nullptr || size < 3 || size >= sizeof given_.bytes) return;
    given_.size = size;
    copy_bytes(given_.bytes, given, size);
    if (!has_path(given_)) {
      real_ = given_;
      // Another port, by the address of before; another host; and another port by its address.
      int32_t type = creates ? 0 : type_of(fd);
      bool port = type != 0 && moved_to(type, &real_), elsewhere = readdress(&real_);
      if (!port && elsewhere && type != 0) port = moved_to(type, &real_);
      if (port || elsewhere) address = real_.bytes, this->size = real_.size;
      return;
    }
    auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
    Text<128> name = path_text(given_);
    char path[4096];
    if (paths == nullptr || (creates ? paths->new_real : paths->to_real)(name.text(), path, sizeof path) < 0) return;
    if (plugin::same(path, name.text())) return;
    uint64_t length = plugin::length_of(path), part = length;
    if (length + 1 > sizeof(sockaddr_un::sun_path)) {
      // Too long for an address: through a descriptor of the folder.
      while (part > 0 && path[part - 1] != '/') --part;
      if (part == 0) return;
      path[part - 1] = 0;
      folder_ = static_cast<int32_t>(sys(SYS_openat, AT_FDCWD, pointer(part == 1 ? "/" : path), O_PATH | O_CLOEXEC | O_DIRECTORY, 0));
      if (folder_ < 0) return;
      Text<128> through;
      through.add("/proc/thread-self/fd/").add(int64_t{folder_}).add("/").add(path + part);
      if (through.size() + 1 > sizeof(sockaddr_un::sun_path)) return;
      real_ = path_address(through.text());
    } else {
      real_ = path_address(path);
    }
    address = real_.bytes;
    this->size = real_.size;
  }
  ~Real() {
    if (folder_ >= 0) sys(SYS_close, folder_);
  }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;

  [[nodiscard]] bool touched() const { return address == real_.bytes; }
  [[nodiscard]] const Address& given() const { return given_; }

  const void* address;
  uint32_t size;

 private:
  Address given_ = {};
  Address real_ = {};
  int32_t folder_ = -1;
};

}  // namespace

void prepare_named_calls() {
  next_bind.get();
  next_connect.get();
  next_sendto.get();
  next_sendmsg.get();
}

}  // namespace cairn::sockets

using namespace cairn::sockets;

CAIRN_WRAP(int, bind, int fd, const void* address, uint32_t size) {
  if (!translates()) return next_bind.get()(fd, address, size);
  Real real(fd, address, size, true);
  int result = next_bind.get()(fd, real.address, real.size);
  if (result == 0 && real.touched()) note_bound(fd, real.given());
  return result;
}

CAIRN_WRAP(int, connect, int fd, const void* address, uint32_t size) {
  if (!translates()) return next_connect.get()(fd, address, size);
  Real real(fd, address, size, false);
  int result = next_connect.get()(fd, real.address, real.size);
  int error = errno;
  if (real.touched() && (result == 0 || error == EINPROGRESS)) note_connected(fd, real.given());
  errno = error;
  return result;
}

CAIRN_WRAP(ssize_t, sendto, int fd, const void* data, size_t length, int flags, const void* address, uint32_t size) {
  if (!translates() || address == nullptr) return next_sendto.get()(fd, data, length, flags, address, size);
  Real real(fd, address, size, false);
  return next_sendto.get()(fd, data, length, flags, real.address, real.size);
}

CAIRN_WRAP(ssize_t, sendmsg, int fd, const struct msghdr* message, int flags) {
  if (!translates() || message->msg_name == nullptr) return next_sendmsg.get()(fd, message, flags);
  Real real(fd, message->msg_name, message->msg_namelen, false);
  struct msghdr copy = *message;
  copy.msg_name = const_cast<void*>(real.address);
  copy.msg_namelen = real.size;
  return next_sendmsg.get()(fd, &copy, flags);
}
