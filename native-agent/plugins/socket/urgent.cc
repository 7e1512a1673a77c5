// Urgent data of TCP: one byte, and its place in the stream, which a program can ask for (sockatmark) and at which reading stops. What
// is behind that place is looked at with an offset (SO_PEEK_OFF on TCP, Linux 6.9). [quiesced] and [restoring]
// Test: test/probes/sockets/urgent.c
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

bool is_inline(const Socket& one) {
  int32_t value = 0;
  uint32_t size = sizeof value;
  return sys(SYS_getsockopt, one.fd, SOL_SOCKET, SO_OOBINLINE, pointer(&value), pointer(&size)) == 0 && value != 0;
}

/// -EINVAL: there is none, or it was read, or it is in the stream.
long peek_byte(const Socket& one, char* byte) { return sys(SYS_recvfrom, one.fd, pointer(byte), 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT, 0, 0); }

/// The peer sends nothing more: the kernel counts that as a byte.
bool has_ended(const Socket& one) {
  struct pollfd poll = {one.fd, POLLRDHUP, 0};
  struct timespec now = {};
  sys(SYS_ppoll, pointer(&poll), 1, pointer(&now), 0, 0);
  return (poll.revents & POLLRDHUP) != 0;
}

int64_t waiting(const Socket& one) {
  int32_t bytes = 0;
  sys(SYS_ioctl, one.fd, FIONREAD, pointer(&bytes));
  return bytes;
}

int32_t add_bytes(Socket* one, const char* bytes, uint32_t size, uint32_t urgent) {
  Message* message = add_message(one, size);
  if (message == nullptr) return host->fail(-ENOMEM, "socket", "no memory for what waits in a socket");
  copy_bytes(message->data, bytes, size);
  message->urgent = urgent;
  return 0;
}

/// The rest from this offset on.
int32_t add_rest(Socket* one, uint64_t offset) {
  static char buffer[60 * 1024];
  auto where = static_cast<int32_t>(offset);
  int32_t before = -1;
  uint32_t size = sizeof before;
  sys(SYS_getsockopt, one->fd, SOL_SOCKET, SO_PEEK_OFF, pointer(&before), pointer(&size));
  if (sys(SYS_setsockopt, one->fd, SOL_SOCKET, SO_PEEK_OFF, pointer(&where), sizeof where) < 0) {
    return refuse_for_now(*one, "urgent data in its queue, behind which this kernel does not let us look (Linux 6.9); try again when it was read", nullptr);
  }
  int32_t error = 0;
  long count = 0;
  while (error == 0 && (count = sys(SYS_recvfrom, one->fd, pointer(buffer), sizeof buffer, MSG_PEEK | MSG_DONTWAIT, 0, 0)) > 0) {
    error = add_bytes(one, buffer, static_cast<uint32_t>(count), 0);
  }
  sys(SYS_setsockopt, one->fd, SOL_SOCKET, SO_PEEK_OFF, pointer(&before), sizeof before);
  return error;
}

}  // namespace

bool has_urgent(const Socket& one) {
  char byte;
  int32_t at_mark = 0;
  long there = peek_byte(one, &byte);
  if (there == 1 || there == -EAGAIN) return true;
  if (is_unix(one)) return false;
  // Already read, or in the stream: then reading stops there.
  sys(SYS_ioctl, one.fd, 0x8905 /* SIOCATMARK */, pointer(&at_mark));
  if (at_mark != 0) return true;
  InetState state;
  int64_t end = has_ended(one) ? 1 : 0;
  if (!is_inline(one)) return inet_state(one.protocol, one.local, one.peer, &state) == 0 && state.receive_queue > waiting(one) + end;
  int64_t bytes = waiting(one);
  if (bytes == 0) return false;
  static char look[60 * 1024];
  iovec parts[64];
  // The same memory over and over: only the length counts.
  long seen = 0;
  msghdr message = {};
  message.msg_iov = parts;
  int64_t left = bytes;
  for (message.msg_iovlen = 0; message.msg_iovlen < 64 && left > 0; ++message.msg_iovlen) {
    uint64_t part = left < static_cast<int64_t>(sizeof look) ? static_cast<uint64_t>(left) : sizeof look;
    parts[message.msg_iovlen] = {look, static_cast<size_t>(part)};
    left -= static_cast<int64_t>(part);
  }
  seen = sys(SYS_recvmsg, one.fd, pointer(&message), MSG_PEEK | MSG_DONTWAIT);
  return left == 0 && seen >= 0 && seen < bytes;
}

int32_t peek_urgent(Socket* one, uint64_t before) {
  char byte = 0;
  if (is_inline(*one)) {
    int32_t at_mark = 0;
    sys(SYS_ioctl, one->fd, 0x8905, pointer(&at_mark));
    // At the place itself a look goes on to the end: what was seen begins with the byte.
    if (at_mark != 0) {
      if (one->queue == nullptr) return 0;
      Message* first = one->queue;
      one->queue = nullptr;
      one->queue_end = &one->queue;
      if (int32_t error = add_bytes(one, first->data, 1, 1)) return error;
      (*one->queue_end = first, one->queue_end = &first->next);
      while (*one->queue_end != nullptr) one->queue_end = &(*one->queue_end)->next;
      for (uint32_t i = 1; i < first->size; ++i) first->data[i - 1] = first->data[i];
      --first->size;
      return 0;
    }
    Message** end = one->queue_end;
    if (int32_t error = add_rest(one, before)) return error;
    Message* rest = *end;
    if (rest == nullptr) return refuse_for_now(*one, "urgent data in its queue that cannot be looked at; try again when it was read", nullptr);
    *end = nullptr;
    Message** last = one->queue_end;
    one->queue_end = end;
    if (int32_t error = add_bytes(one, rest->data, 1, 1)) return error;
    *one->queue_end = rest;
    one->queue_end = last;
    for (uint32_t i = 1; i < rest->size; ++i) rest->data[i - 1] = rest->data[i];
    --rest->size;
    return 0;
  }
  long there = peek_byte(*one, &byte);
  if (there == -EAGAIN) return refuse_for_now(*one, "urgent data that is on the way; try again when it was read", nullptr);
  // FIONREAD, and so the look, ends at the place, unless it begins there.
  int32_t at_mark = 0;
  sys(SYS_ioctl, one->fd, 0x8905, pointer(&at_mark));
  if (at_mark != 0) {
    one->queue = nullptr;
    one->queue_end = &one->queue;
    before = 0;
  }
  if (int32_t error = add_bytes(one, &byte, 1, there == 1 ? 1 : 2)) return error;
  return add_rest(one, before + 1);
}

int32_t send_urgent(int32_t fd, const Message& message) {
  for (int32_t waited = 0; waited < 500; ++waited) {
    long count = sys(SYS_sendto, fd, pointer(message.data), 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (count != -EAGAIN && count != -EINTR) return count < 0 ? static_cast<int32_t>(count) : 0;
    struct timespec pause = {0, 2000000};
    sys(SYS_nanosleep, pointer(&pause), 0);
  }
  return -ENOBUFS;
}

int32_t read_urgent(const Socket& one) {
  bool was_read = false;
  for (const Message* message = one.queue; message != nullptr; message = message->next) was_read = was_read || message->urgent == 2;
  for (int32_t waited = 0; was_read && waited < 500; ++waited) {
    char byte;
    if (sys(SYS_recvfrom, one.fd, pointer(&byte), 1, MSG_OOB | MSG_DONTWAIT, 0, 0) == 1) return 0;
    struct timespec pause = {0, 2000000};
    sys(SYS_nanosleep, pointer(&pause), 0);
  }
  return was_read ? -ETIMEDOUT : 0;
}

}  // namespace cairn::sockets
