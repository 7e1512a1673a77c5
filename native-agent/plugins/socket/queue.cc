// What waits in receive queues: read with MSG_PEEK and a growing offset, so that the running application keeps it, and at a restart
// sent again from the other end. Boundaries and senders of messages are kept. [quiesced] and [restoring]
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

constexpr long peek_flags = MSG_PEEK | MSG_DONTWAIT;

/// One look into the queue: how much, and from whom. *refused: there are passed descriptors, which a look must not bring in.
long peek(Socket* one, char* data, uint64_t size, long flags, Address* from, bool* passed) {
  // Room for a sender's credentials and nothing behind them: the kernel hands no descriptor over then, and says so.
  alignas(8) char control[CMSG_SPACE(sizeof(struct ucred))];
  int32_t with_credentials = 0;
  uint32_t option_size = 4;
  sys(SYS_getsockopt, one->fd, SOL_SOCKET, SO_PASSCRED, pointer(&with_credentials), pointer(&option_size));
  iovec part = {data, size};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_name = from->bytes;
  message.msg_namelen = sizeof from->bytes - 1;
  if (is_unix(*one) && with_credentials != 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
  long result = sys(SYS_recvmsg, one->fd, pointer(&message), peek_flags | flags);
  from->size = result < 0 ? 0 : message.msg_namelen;
  if (result >= 0 && is_unix(*one) && (message.msg_flags & MSG_CTRUNC) != 0) *passed = true;
  return result;
}

int32_t peek_all(Socket* one) {
  bool passed = false;
  long count = 0;
  for (uint32_t number = 0; number < 100000; ++number) {
    Address from = {};
    uint64_t size = 0;
    if (is_stream(*one)) {
      int32_t waiting = 0;
      sys(SYS_ioctl, one->fd, FIONREAD, pointer(&waiting));
      size = static_cast<uint64_t>(waiting);
      if (waiting == 0) return 0;
    } else if (!is_unix(*one)) {
      // For UDP the offset moves by what MSG_TRUNC would tell, so that each is read in one go; none is longer than this.
      static char datagram[65536];
      count = peek(one, datagram, sizeof datagram, 0, &from, &passed);
      if (count < 0) break;
      Message* message = add_message(one, static_cast<uint32_t>(count));
      if (message == nullptr) return host->fail(-ENOMEM, "socket", "no memory for what waits in a socket");
      copy_bytes(message->data, datagram, static_cast<uint64_t>(count));
      message->from = from;
      continue;
    } else {
      char nothing;
      count = peek(one, &nothing, 0, MSG_TRUNC, &from, &passed);
      if (count < 0) break;
      size = static_cast<uint64_t>(count);
      // The end of what a half-closed socket receives looks like an empty message.
      if (size == 0 && (one->shutdown & 1) != 0) return 0;
    }
    if (passed) break;
    Message* message = add_message(one, static_cast<uint32_t>(size));
    if (message == nullptr) return host->fail(-ENOMEM, "socket", "no memory for what waits in a socket");
    if (size > 0) count = peek(one, message->data, size, 0, &message->from, &passed);
    else message->from = from;
    message->size = size == 0 || count < 0 ? 0 : static_cast<uint32_t>(count);
    if (passed || count < 0) break;
    if (is_stream(*one) && count == 0) return 0;
  }
  if (passed) return refuse(*one, "descriptors that were passed over it and not received yet", nullptr);
  return count < 0 && count != -EAGAIN ? refuse(*one, "a receive queue that cannot be read", nullptr) : 0;
}

int32_t peek_tcp(Socket* one) {
  int32_t waiting = 0;
  sys(SYS_ioctl, one->fd, FIONREAD, pointer(&waiting));
  if (waiting <= 0) return 0;
  Message* message = add_message(one, static_cast<uint32_t>(waiting));
  if (message == nullptr) return host->fail(-ENOMEM, "socket", "no memory for what waits in a socket");
  bool passed = false;
  Address from = {};
  long count = peek(one, message->data, message->size, 0, &from, &passed);
  if (count != waiting) return refuse(*one, "urgent data in its queue, or a queue that cannot be read", nullptr);
  return 0;
}

void pause_a_moment() {
  struct timespec pause = {0, 2000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

/// The sender of a datagram: the socket of the computation that it came from, else a new one with that name.
int32_t open_sender(const Socket& receiver, const Message& message) {
  if (message.sender_process == host->virtual_pid()) return static_cast<int32_t>(sys(SYS_fcntl, message.sender_fd, F_DUPFD_CLOEXEC, 0));
  if (message.sender_process != 0) return fetch(message.sender_process, message.sender_fd);
  long fd = sys(SYS_socket, receiver.family, receiver.type | SOCK_CLOEXEC, receiver.protocol);
  if (fd < 0) return static_cast<int32_t>(fd);
  int32_t one = 1;
  if (!is_unix(receiver)) sys(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, pointer(&one), 4);
  Address from = message.from;
  to_shown(&from);
  if (bind_name(static_cast<int32_t>(fd), from, false, 0) < 0) host->log(CAIRN_LOG_WARNING, "a datagram that waits in a socket shows another sender after the restart, since the old address is not to be had");
  return static_cast<int32_t>(fd);
}

}  // namespace

Message* add_message(Socket* one, uint32_t capacity) {
  auto* message = static_cast<Message*>(take_memory(sizeof(Message) + capacity));
  if (message == nullptr) return nullptr;
  message->size = capacity;
  *one->queue_end = message;
  one->queue_end = &message->next;
  return message;
}

int32_t save_queue(Socket* one) {
  one->queue = nullptr;
  one->queue_end = &one->queue;
  if (one->role == Role::listening) return 0;
  if (!is_unix(*one) && is_stream(*one)) return peek_tcp(one);
  // The application's own offset, if it uses one, is -1 or where it goes on.
  int32_t before = -1, zero = 0;
  uint32_t size = sizeof before;
  if (sys(SYS_getsockopt, one->fd, SOL_SOCKET, SO_PEEK_OFF, pointer(&before), pointer(&size)) < 0 ||
      sys(SYS_setsockopt, one->fd, SOL_SOCKET, SO_PEEK_OFF, pointer(&zero), sizeof zero) < 0) {
    return refuse(*one, "a receive queue that this kernel does not let us look into (SO_PEEK_OFF)", nullptr);
  }
  int32_t result = peek_all(one);
  sys(SYS_setsockopt, one->fd, SOL_SOCKET, SO_PEEK_OFF, pointer(&before), sizeof before);
  return result;
}

int32_t send_whole(int32_t fd, const char* data, uint64_t size) {
  uint64_t done = 0;
  int32_t waited = 0;
  do {
    long count = sys(SYS_sendto, fd, pointer(data + done), static_cast<long>(size - done), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (count == -EINTR) continue;
    if (count == -EAGAIN || count == -ENOBUFS) {
      // There was room before. Buffers that grow by themselves may need a moment; then a larger one has to be asked for.
      if (++waited > 500) return -ENOBUFS;
      if (waited % 25 == 0) {
        int32_t now = 0;
        uint32_t option_size = 4;
        sys(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDBUF, pointer(&now), pointer(&option_size));
        sys(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, pointer(&now), 4);
      }
      pause_a_moment();
      continue;
    }
    if (count < 0) return static_cast<int32_t>(count);
    done += static_cast<uint64_t>(count);
  } while (done < size);
  return 0;
}

int32_t fill_from(const Socket& one, int32_t other_end) {
  for (const Message* message = one.queue; message != nullptr; message = message->next) {
    if (message->size == 0 && is_stream(one)) continue;
    if (int32_t error = send_whole(other_end, message->data, message->size); error < 0) return error;
  }
  return 0;
}

int32_t fill_datagrams(const Socket& one) {
  Address target = {}, unused = {};
  read_addresses(one.fd, &target, &unused);
  // What is bound to every address of this host is reached by the loopback one.
  if (!is_unix(one) && is_any(target)) {
    target.bytes[target.family() == AF_INET ? 4 : 23] = target.family() == AF_INET ? 127 : 1;
    if (target.family() == AF_INET) target.bytes[7] = 1;
  }
  for (const Message* message = one.queue; message != nullptr; message = message->next) {
    int32_t sender = open_sender(one, *message);
    if (sender < 0) return sender;
    Address to = target;
    if (!is_unix(one)) {
      Address from = {};
      read_addresses(sender, &from, &unused);
      to = as_family(target, from.family());
    }
    long sent = sys(SYS_sendto, sender, pointer(message->data), message->size, MSG_DONTWAIT | MSG_NOSIGNAL, pointer(to.bytes), to.size);
    sys(SYS_close, sender);
    if (sent < 0) return static_cast<int32_t>(sent);
  }
  return 0;
}

}  // namespace cairn::sockets
