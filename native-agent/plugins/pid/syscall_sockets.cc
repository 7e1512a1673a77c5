// Owns: sockets in syscall(2): names and credentials come from the functions that the plugin socket wraps. From the first restart on.
// [any] Test: test/probes/sockets/raw_calls.c
#include <sys/socket.h>

#include "pid/host.h"

namespace cairn::pid {

bool call_of_sockets(long number, const long* a, long* result) {
  auto fd = static_cast<int>(a[0]);
  auto* address = reinterpret_cast<struct sockaddr*>(a[1]);
  auto* size = reinterpret_cast<socklen_t*>(a[2]);
  switch (number) {
#ifdef SYS_accept
    case SYS_accept: *result = accept(fd, address, size); return true;
#endif
    case SYS_accept4: *result = accept4(fd, address, size, static_cast<int>(a[3])); return true;
    case SYS_bind: *result = bind(fd, address, static_cast<socklen_t>(a[2])); return true;
    case SYS_connect: *result = connect(fd, address, static_cast<socklen_t>(a[2])); return true;
    case SYS_getsockname: *result = getsockname(fd, address, size); return true;
    case SYS_getpeername: *result = getpeername(fd, address, size); return true;
    case SYS_getsockopt:
      *result = getsockopt(fd, static_cast<int>(a[1]), static_cast<int>(a[2]), reinterpret_cast<void*>(a[3]), reinterpret_cast<socklen_t*>(a[4]));
      return true;
    case SYS_sendto:
      *result = sendto(fd, reinterpret_cast<void*>(a[1]), static_cast<size_t>(a[2]), static_cast<int>(a[3]), reinterpret_cast<struct sockaddr*>(a[4]), static_cast<socklen_t>(a[5]));
      return true;
    case SYS_recvfrom:
      *result = recvfrom(fd, reinterpret_cast<void*>(a[1]), static_cast<size_t>(a[2]), static_cast<int>(a[3]), reinterpret_cast<struct sockaddr*>(a[4]), reinterpret_cast<socklen_t*>(a[5]));
      return true;
    case SYS_sendmsg: *result = sendmsg(fd, reinterpret_cast<struct msghdr*>(a[1]), static_cast<int>(a[2])); return true;
    case SYS_recvmsg: *result = recvmsg(fd, reinterpret_cast<struct msghdr*>(a[1]), static_cast<int>(a[2])); return true;
    default: return false;
  }
}

}  // namespace cairn::pid
