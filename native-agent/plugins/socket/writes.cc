// libc's write and writev, for sockets with a time limit. Without such it is a flag test. [any] Test: test/probes/sockets/limited_writes.c.
#include <sys/uio.h>

#include "common/limited.h"
#include "socket/next.h"

namespace cairn::sockets {
namespace {

Next<ssize_t(int, const void*, size_t)> next_write = {"write", nullptr};
Next<ssize_t(int, const struct iovec*, int)> next_writev = {"writev", nullptr};

}  // namespace

void prepare_writes() {
  next_write.get();
  next_writev.get();
}

}  // namespace cairn::sockets

using namespace cairn::sockets;
namespace plugin = cairn::plugin;

CAIRN_WRAP(ssize_t, write, int fd, const void* data, size_t size) {
  return plugin::send(host, fd, [=] { return next_write.get()(fd, data, size); });
}

CAIRN_WRAP(ssize_t, writev, int fd, const struct iovec* parts, int count) {
  return plugin::send(host, fd, [=] { return next_writev.get()(fd, parts, count); });
}
