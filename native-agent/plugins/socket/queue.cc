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
long peek(Socket* one, const iovec* parts, uint64_t count, long flags, Address* from, bool* passed) {
  // Room for a sender's credentials and nothing behind them: the kernel hands no descriptor over then, and says so.
  alignas(8) char control[CMSG_SPACE(sizeof(struct ucred))];
  int32_t with_credentials = 0;
  uint32_t option_size = 4;
  sys(SYS_getsockopt, one->fd, SOL_SOCKET, SO_PASSCRED, pointer(&with_credentials), pointer(&option_size));
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
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

int32_t no_memory() { return host->fail(-ENOMEM, "socket", "no memory for what waits in a socket"); }

/// The next `size` bytes of a stream, in pieces that fit the pool's usual ones: so it can use them again. The number that came.
long peek_stream(Socket* one, uint64_t size, bool* passed) {
  constexpr uint64_t piece = 60 * 1024, most = 1024;
  static iovec parts[most];
  Message** first = one->queue_end;
  uint64_t count = 0;
  for (uint64_t at = 0; at < size && count < most; at += piece, ++count) {
    uint64_t part = size - at < piece ? size - at : piece;
    Message* message = add_message(one, static_cast<uint32_t>(part));
    if (message == nullptr) return no_memory();
    parts[count] = {message->data, static_cast<size_t>(part)};
  }
  Address from = {};
  long result = peek(one, parts, count, 0, &from, passed);
  uint64_t left = result < 0 ? 0 : static_cast<uint64_t>(result);
  for (Message* message = *first; message != nullptr; message = message->next) {
    if (message->size > left) message->size = static_cast<uint32_t>(left);
    left -= message->size;
  }
  return result;
}

uint64_t waiting(const Socket& one) {
  int32_t bytes = 0;
  sys(SYS_ioctl, one.fd, FIONREAD, pointer(&bytes));
  return bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
}

/// A Unix stream; where senders change, and credentials are asked for, one look does not see all.
int32_t peek_unix_stream(Socket* one, bool* passed) {
  for (uint64_t left = waiting(*one); left > 0 && !*passed;) {
    long count = peek_stream(one, left, passed);
    if (count <= 0) return static_cast<int32_t>(count == -EAGAIN ? 0 : count);
    left -= static_cast<uint64_t>(count) < left ? static_cast<uint64_t>(count) : left;
  }
  return 0;
}

int32_t peek_messages(Socket* one, bool* passed) {
  // For UDP the offset moves by what MSG_TRUNC would tell, so that each is read in one go; none is longer than this.
  static char datagram[65536];
  for (;;) {
    Address from = {};
    iovec part = {datagram, is_unix(*one) ? 0 : sizeof datagram};
    long count = peek(one, &part, 1, is_unix(*one) ? MSG_TRUNC : 0, &from, passed);
    if (count < 0) return static_cast<int32_t>(count == -EAGAIN ? 0 : count);
    // The end of what a half-closed socket receives looks like an empty message.
    if (*passed || (count == 0 && (one->shutdown & 1) != 0)) return 0;
    Message* message = add_message(one, static_cast<uint32_t>(count));
    if (message == nullptr) return no_memory();
    message->from = from;
    if (!is_unix(*one)) {
      copy_bytes(message->data, datagram, static_cast<uint64_t>(count));
    } else if (count > 0) {
      part = {message->data, static_cast<size_t>(count)};
      count = peek(one, &part, 1, 0, &message->from, passed);
      if (count != static_cast<long>(message->size)) return -EIO;
    }
  }
}

int32_t peek_all(Socket* one) {
  bool passed = false;
  int32_t result = is_stream(*one) ? peek_unix_stream(one, &passed) : peek_messages(one, &passed);
  if (passed) return refuse(*one, "descriptors that were passed over it and not received yet", nullptr);
  return result < 0 ? refuse(*one, "a receive queue that cannot be read", nullptr) : 0;
}

int32_t peek_tcp(Socket* one) {
  uint64_t there = waiting(*one);
  bool passed = false;
  if (there == 0 || peek_stream(one, there, &passed) == static_cast<long>(there)) return 0;
  return refuse(*one, "urgent data in its queue, or a queue that cannot be read", nullptr);
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
  if (!is_unix(one)) read_addresses(one.fd, &target, &unused);
  // What is bound to every address of this host is reached by the loopback one.
  if (!is_unix(one) && is_any(target)) {
    target.bytes[target.family() == AF_INET ? 4 : 23] = target.family() == AF_INET ? 127 : 1;
    if (target.family() == AF_INET) target.bytes[7] = 1;
  }
  for (const Message* message = one.queue; message != nullptr; message = message->next) {
    int32_t sender = open_sender(one, *message);
    if (sender < 0) return sender;
    Address to = target;
    if (is_unix(one)) {
      if (int32_t error = reach(one.shown_local, &to); error < 0) return error;
    } else {
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
