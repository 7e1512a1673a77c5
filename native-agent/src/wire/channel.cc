#include "wire/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sys/futex.h"
#include "wire/remote.h"

namespace cairn::wire {

using sys::call;
using sys::Status;

namespace {

/// Is sent without waiting for more: the buffer's memory is touched no further.
constexpr size_t enough = 32 << 10;

/// A socket that is connected to `path`; -errno, with the socket left in `fd` if there is one.
long connect_to(const char* path, int flags, sys::UniqueFd* fd) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, length + 1);
  *fd = sys::UniqueFd(call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  return fd->ok() ? call(SYS_connect, fd->get(), &address, sizeof address) : fd->status();
}

}  // namespace

Status Channel::connect(const char* path) {
  sys::UniqueFd fd;
  long result = connect_to(path, 0, &fd);
  if (result == -ECONNREFUSED) {
    // No socket is there, but it may be the file that says where on another host the coordinator is.
    long remote = connect_remote(path);
    if (remote != -ENOTSOCK) result = remote;
    if (remote >= 0) {
      fd.reset(static_cast<int>(remote));
      result = 0;
    }
  }
  if (sys::failed(result)) return static_cast<Status>(result);
  take(static_cast<sys::UniqueFd&&>(fd));
  return 0;
}

Status Channel::connect_at_once(const char* path) {
  sys::UniqueFd fd;
  long result = connect_to(path, SOCK_NONBLOCK, &fd);
  if (!sys::failed(result)) result = call(SYS_fcntl, fd.get(), F_SETFL, 0);
  if (sys::failed(result)) return static_cast<Status>(result);
  take(static_cast<sys::UniqueFd&&>(fd));
  return 0;
}

void Channel::take(sys::UniqueFd fd) {
  fd_ = sys::hide_fd(fd.release());
  filled_ = consumed_ = 0;
  forget_unsent();
}

void Channel::close() {
  if (fd_ >= 0) sys::close_own_fd(fd_);
  forget();
}

Status Channel::send(uint64_t id, uint32_t field, const pb_msgdesc_t* type, const void* message) {
  Status status = put(id, field, type, message);
  return status != 0 ? status : flush();
}

Status Channel::put(uint64_t id, uint32_t field, const pb_msgdesc_t* type, const void* message) {
  if (fd_ < 0) return -ENOTCONN;
  long size = encode_envelope(outgoing_ + unsent_ + 4, max_frame - unsent_, id, field, type, message);
  if (size < 0 && unsent_ > 0) {
    if (Status status = flush(); status != 0) return status;
    size = encode_envelope(outgoing_ + 4, max_frame, id, field, type, message);
  }
  if (size < 0) return static_cast<Status>(size);
  uint32_t length = static_cast<uint32_t>(size);
  memcpy(outgoing_ + unsent_, &length, 4);
  unsent_ += length + 4;
  return unsent_ < enough ? 0 : flush();
}

Status Channel::flush() {
  const char* bytes = outgoing_;
  size_t left = unsent_;
  unsent_ = 0;
  while (left > 0) {
    long count = call(SYS_sendto, fd_, bytes, left, MSG_NOSIGNAL, nullptr, 0);
    if (count == -EINTR) continue;
    if (sys::failed(count)) return static_cast<Status>(count);
    bytes += count;
    left -= static_cast<size_t>(count);
  }
  return 0;
}

void Channel::wait_for_end(uint64_t deadline_ns) {
  do filled_ = consumed_ = 0;
  while (fd_ >= 0 && fill(1, deadline_ns) == 0);
}

Status Channel::fill(size_t wanted, uint64_t deadline_ns) {
  if (consumed_ > 0) {
    memmove(incoming_, incoming_ + consumed_, filled_ - consumed_);
    filled_ -= consumed_;
    consumed_ = 0;
  }
  if (filled_ < wanted) {
    if (Status status = flush(); status != 0) return status;
  }
  while (filled_ < wanted) {
    struct pollfd waiting = {fd_, POLLIN, 0};
    struct timespec left = {};
    if (deadline_ns != 0) {
      uint64_t now = sys::now_ns();
      if (now >= deadline_ns) return -ETIMEDOUT;
      left.tv_sec = static_cast<time_t>((deadline_ns - now) / 1000000000u);
      left.tv_nsec = static_cast<long>((deadline_ns - now) % 1000000000u);
    }
    long ready = call(SYS_ppoll, &waiting, 1, deadline_ns ? &left : nullptr, nullptr, 8);
    if (ready == -EINTR || ready == 0) continue;
    if (sys::failed(ready)) return static_cast<Status>(ready);
    long count = call(SYS_recvfrom, fd_, incoming_ + filled_, max_frame + 4 - filled_, 0, nullptr, nullptr);
    if (count == -EINTR) continue;
    if (sys::failed(count)) return static_cast<Status>(count);
    if (count == 0) return -ECONNRESET;
    filled_ += static_cast<size_t>(count);
  }
  return 0;
}

Status Channel::receive(Envelope* envelope, uint64_t deadline_ns) {
  if (fd_ < 0) return -ENOTCONN;
  if (Status status = fill(4, deadline_ns); status != 0) return status;
  uint32_t length = 0;
  memcpy(&length, incoming_, 4);
  if (length > max_frame) return -EPROTO;
  if (Status status = fill(4 + length, deadline_ns); status != 0) return status;
  consumed_ = 4 + length;
  *envelope = Envelope();
  return decode_envelope(Text(incoming_ + 4, length), envelope) ? 0 : -EPROTO;
}

}  // namespace cairn::wire
