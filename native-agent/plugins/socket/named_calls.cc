// libc's functions to which an application gives a socket's name: one of a file is made the real one, as the plugin `path` says, and one
// that was moved leads to where it is (moved.cc). Until a restart they are a flag test. [any] Test: test/probes/sockets/named.c
#include <errno.h>
#include <fcntl.h>
#include <sys/un.h>

#include "common/limited.h"
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

  /// It is good for this call alone.
  [[nodiscard]] bool through_folder() const { return folder_ >= 0; }
  [[nodiscard]] bool touched() const { return address == real_.bytes; }
  [[nodiscard]] const Address& given() const { return given_; }

  const void* address;
  uint32_t size;

 private:
  Address given_ = {};
  Address real_ = {};
  int32_t folder_ = -1;
};

/// What a call that begins again is given, and what the application gave.
struct Replaced {
  Replaced* next;
  Address real, given;
};
Replaced* replaced = nullptr;

/// The address that a call which begins again is to have instead; null: the same.
const Address* address_again(int32_t fd, const void* given, uint32_t size) {
  Replaced* known = replaced;
  while (known != nullptr && known->real.bytes != given) known = known->next;
  if (size < 3 || size > sizeof known->given.bytes) return nullptr;
  Address asked = {};
  asked.size = size;
  copy_bytes(asked.bytes, given, size);
  if (known != nullptr) asked = known->given;
  Real real(fd, asked.bytes, asked.size, false);
  if (!real.touched() && known == nullptr) return nullptr;
  if (real.through_folder()) return nullptr;
  if (known == nullptr) {
    known = static_cast<Replaced*>(host->allocate(sizeof(Replaced)));
    if (known == nullptr) return nullptr;
    known->given = asked;
    known->next = replaced;
    replaced = known;
  }
  known->real = {};
  known->real.size = real.size;
  copy_bytes(known->real.bytes, real.address, real.size);
  return &known->real;
}

}  // namespace

void correct_calls() {
  int64_t number = 0;
  uint64_t arguments[6], stack = 0;
  int32_t virtual_id, real_id;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real_id) == 1; ++index) {
    if (host->thread_call(index, &number, arguments, &stack) != 1) continue;
    if (number == SYS_sendmsg && arguments[1] != 0) {
      auto* message = reinterpret_cast<struct msghdr*>(arguments[1]);
      const Address* address = message->msg_name != nullptr ? address_again(static_cast<int32_t>(arguments[0]), message->msg_name, message->msg_namelen) : nullptr;
      if (address == nullptr) continue;
      // The wrapper's own copy.
      message->msg_name = const_cast<char*>(address->bytes);
      message->msg_namelen = address->size;
    } else if (number == SYS_sendto || number == SYS_connect) {
      uint32_t place = number == SYS_connect ? 1 : 4;
      auto* given = reinterpret_cast<const void*>(arguments[place]);
      const Address* address = given != nullptr ? address_again(static_cast<int32_t>(arguments[0]), given, static_cast<uint32_t>(arguments[place + 1])) : nullptr;
      if (address == nullptr) continue;
      host->set_thread_argument(index, place, reinterpret_cast<uintptr_t>(address->bytes));
      host->set_thread_argument(index, place + 1, address->size);
    }
  }
}

void prepare_named_calls() {
  next_bind.get();
  next_connect.get();
  next_sendto.get();
  next_sendmsg.get();
}

}  // namespace cairn::sockets

using namespace cairn::sockets;
namespace plugin = cairn::plugin;

CAIRN_WRAP(int, bind, int fd, const void* address, uint32_t size) {
  if (!translates()) return next_bind.get()(fd, address, size);
  Real real(fd, address, size, true);
  int result = next_bind.get()(fd, real.address, real.size);
  if (result == 0 && real.touched()) note_bound(fd, real.given());
  return result;
}

CAIRN_WRAP(int, connect, int fd, const void* address, uint32_t size) {
  if (!translates()) return plugin::send(host, fd, [=] { return next_connect.get()(fd, address, size); });
  Real real(fd, address, size, false);
  int result = plugin::send(host, fd, [&] { return next_connect.get()(fd, real.address, real.size); });
  int error = errno;
  if (real.touched() && (result == 0 || error == EINPROGRESS)) note_connected(fd, real.given());
  errno = error;
  return result;
}

CAIRN_WRAP(ssize_t, sendto, int fd, const void* data, size_t length, int flags, const void* address, uint32_t size) {
  if (!translates() || address == nullptr) return plugin::send(host, fd, [=] { return next_sendto.get()(fd, data, length, flags, address, size); });
  Real real(fd, address, size, false);
  return plugin::send(host, fd, [&] { return next_sendto.get()(fd, data, length, flags, real.address, real.size); });
}

CAIRN_WRAP(ssize_t, sendmsg, int fd, const struct msghdr* message, int flags) {
  if (message->msg_name == nullptr) return plugin::send(host, fd, [=] { return next_sendmsg.get()(fd, message, flags); });
  // Also before the first restart: the call may begin again after it, with another name (correct_calls).
  Real real(fd, message->msg_name, message->msg_namelen, false);
  struct msghdr copy = *message;
  copy.msg_name = const_cast<void*>(real.address);
  copy.msg_namelen = real.size;
  return plugin::send(host, fd, [&] { return next_sendmsg.get()(fd, &copy, flags); });
}
