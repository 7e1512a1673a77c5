// libc's functions that show an application names of sockets and processes at their other end. Until a restart they are a flag test.
// [any] What they change of a result is decided after the call, since a restart may have come in between.
// Names that the application gives: named_calls.cc. Test: test/probes/sockets.
#include "common/limited.h"
#include "socket/next.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace cairn::sockets {
namespace {

Next<int(int, void*, uint32_t*)> next_getsockname = {"getsockname", nullptr};
Next<int(int, void*, uint32_t*)> next_getpeername = {"getpeername", nullptr};
Next<int(int, void*, uint32_t*)> next_accept = {"accept", nullptr};
Next<int(int, void*, uint32_t*, int)> next_accept4 = {"accept4", nullptr};
Next<int(int, int, int, void*, uint32_t*)> next_getsockopt = {"getsockopt", nullptr};
Next<ssize_t(int, void*, size_t, int)> next_recv = {"recv", nullptr};
Next<ssize_t(int, void*, size_t, size_t, int)> next_recv_chk = {"__recv_chk", nullptr};
Next<ssize_t(int, const void*, size_t, int)> next_send = {"send", nullptr};
Next<ssize_t(int, void*, size_t, int, void*, uint32_t*)> next_recvfrom = {"recvfrom", nullptr};
Next<ssize_t(int, struct msghdr*, int)> next_recvmsg = {"recvmsg", nullptr};
Next<int(int, struct mmsghdr*, unsigned, int, struct timespec*)> next_recvmmsg = {"recvmmsg", nullptr};

bool restarted = false;

uint32_t capacity_of(const uint32_t* size) { return size != nullptr ? *size : 0; }

void give(const Address& address, void* given, uint32_t* size, uint32_t capacity) {
  copy_bytes(given, address.bytes, address.size < capacity ? address.size : capacity);
  *size = address.size;
}

/// A name as the kernel gave it for a socket. One that did not fit is left as it is.
void translate(int fd, void* given, uint32_t* size, uint32_t capacity) {
  if (given == nullptr || size == nullptr || *size > capacity || *size < 3 || *size >= sizeof(Address::bytes)) return;
  Address address = {};
  address.size = *size;
  copy_bytes(address.bytes, given, *size);
  if (int32_t type = type_of(fd); type == 0 || !moved_from(type, &address)) to_shown(&address);
  give(address, given, size, capacity);
}

void show(int fd, int which, void* given, uint32_t* size, uint32_t capacity) {
  Address address;
  if (shown_address(fd, which, &address)) give(address, given, size, capacity);
  else translate(fd, given, size, capacity);
}

int32_t virtual_id(int32_t real) {
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  return ids != nullptr && real > 0 ? ids->to_virtual(real) : real;
}

void translate_message(int fd, struct msghdr* message, uint32_t capacity) {
  if (message->msg_name != nullptr) translate(fd, message->msg_name, &message->msg_namelen, capacity);
  for (struct cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    auto* credentials = reinterpret_cast<struct ucred*>(CMSG_DATA(part));
    credentials->pid = virtual_id(credentials->pid);
  }
}

/// The kernel means the process that made the connection again.
void show_peer_process(int fd, int* pidfd) {
  struct ucred credentials = {};
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  if (ids == nullptr || !shown_credentials(fd, &credentials)) return;
  long process = sys(SYS_pidfd_open, ids->to_real(credentials.pid), 0);
  if (process < 0) return;
  sys(SYS_close, *pidfd);
  *pidfd = static_cast<int>(process);
}

}  // namespace

void prepare_calls() {
  next_getsockname.get();
  next_getpeername.get();
  next_accept.get();
  next_accept4.get();
  next_getsockopt.get();
  next_recv.get();
  next_recv_chk.get();
  next_send.get();
  next_recvfrom.get();
  next_recvmsg.get();
  next_recvmmsg.get();
  prepare_named_calls();
  prepare_writes();
}

bool translates() { return restarted; }

void begin_translation() { __atomic_store_n(&restarted, true, __ATOMIC_RELEASE); }

}  // namespace cairn::sockets

using namespace cairn::sockets;
namespace plugin = cairn::plugin;

CAIRN_WRAP(int, getsockname, int fd, void* address, uint32_t* size) {
  uint32_t capacity = capacity_of(size);
  int result = next_getsockname.get()(fd, address, size);
  if (restarted && result == 0) show(fd, 0, address, size, capacity);
  return result;
}

CAIRN_WRAP(int, getpeername, int fd, void* address, uint32_t* size) {
  uint32_t capacity = capacity_of(size);
  int result = next_getpeername.get()(fd, address, size);
  if (restarted && result == 0) show(fd, 1, address, size, capacity);
  return result;
}

CAIRN_WRAP(int, accept, int fd, void* address, uint32_t* size) {
  uint32_t capacity = capacity_of(size);
  int result = plugin::receive(host, fd, [=] { return next_accept.get()(fd, address, size); });
  if (restarted && result >= 0) translate(fd, address, size, capacity);
  return result;
}

CAIRN_WRAP(int, accept4, int fd, void* address, uint32_t* size, int flags) {
  uint32_t capacity = capacity_of(size);
  int result = plugin::receive(host, fd, [=] { return next_accept4.get()(fd, address, size, flags); });
  if (restarted && result >= 0) translate(fd, address, size, capacity);
  return result;
}

CAIRN_WRAP(int, getsockopt, int fd, int level, int name, void* value, uint32_t* size) {
  if (int32_t limit = plugin::limit_of(level, name); __builtin_expect(limit != 0, 0)) plugin::put_back_limits(host, fd, limit);
  int result = next_getsockopt.get()(fd, level, name, value, size);
  if (!restarted || result != 0 || level != SOL_SOCKET) return result;
  if (name == SO_PEERPIDFD && *size >= sizeof(int)) show_peer_process(fd, static_cast<int*>(value));
  if (name != SO_PEERCRED || *size < sizeof(struct ucred)) return result;
  auto* credentials = static_cast<struct ucred*>(value);
  if (!shown_credentials(fd, credentials)) credentials->pid = virtual_id(credentials->pid);
  return result;
}

CAIRN_WRAP(ssize_t, recv, int fd, void* data, size_t length, int flags) {
  return plugin::receive(host, fd, [=] { return next_recv.get()(fd, data, length, flags); });
}

CAIRN_WRAP(ssize_t, __recv_chk, int fd, void* data, size_t length, size_t room, int flags) {
  return plugin::receive(host, fd, [=] { return next_recv_chk.get()(fd, data, length, room, flags); });
}

CAIRN_WRAP(ssize_t, send, int fd, const void* data, size_t length, int flags) {
  return plugin::send(host, fd, [=] { return next_send.get()(fd, data, length, flags); });
}

CAIRN_WRAP(ssize_t, recvfrom, int fd, void* data, size_t length, int flags, void* address, uint32_t* size) {
  uint32_t capacity = capacity_of(size);
  ssize_t result = plugin::receive(host, fd, [=] { return next_recvfrom.get()(fd, data, length, flags, address, size); });
  if (restarted && result >= 0 && address != nullptr) translate(fd, address, size, capacity);
  return result;
}

CAIRN_WRAP(ssize_t, recvmsg, int fd, struct msghdr* message, int flags) {
  uint32_t capacity = message->msg_namelen;
  ssize_t result = plugin::receive(host, fd, [=] { return next_recvmsg.get()(fd, message, flags); });
  if (restarted && result >= 0) translate_message(fd, message, capacity);
  return result;
}

CAIRN_WRAP(int, recvmmsg, int fd, struct mmsghdr* messages, unsigned count, int flags, struct timespec* timeout) {
  constexpr unsigned most = 1024;  // the kernel takes no more
  uint32_t capacities[most];
  for (unsigned i = 0; i < count && i < most; ++i) capacities[i] = messages[i].msg_hdr.msg_namelen;
  int result = plugin::receive(host, fd, [=] { return next_recvmmsg.get()(fd, messages, count, flags, timeout); });
  for (int i = 0; restarted && i < result; ++i) translate_message(fd, &messages[i].msg_hdr, capacities[i]);
  return result;
}
