// What waits in receive queues: read with MSG_PEEK and a growing offset, so that the running application keeps it, and at a restart
// sent again from the other end. Boundaries and senders of messages are kept (messages.cc). [quiesced] and [restoring]
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>

#include "socket/socket.h"

namespace cairn::sockets {
namespace {

int32_t no_memory() { return host->fail(-ENOMEM, "socket", "no memory for what waits in a socket"); }

/// The next `size` bytes of a stream, in pieces that fit the pool's usual ones: so it can use them again. The number that came.
long peek_stream(Socket* one, uint64_t size, Look* look) {
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
  long result = look_into(one->fd, parts, count, 0, look);
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

/// Descriptors come with the first byte of what they were sent with, which is the last part that one look saw. That part begins where
/// a look ends that finds no room for its last byte: the kernel copies what was sent in one piece as a whole or not at all.
long length_before_passed(const Socket& one, uint64_t offset, uint64_t seen, const Message* first) {
  static iovec parts[1025];
  static Look look;
  uint64_t count = 0;
  for (uint64_t left = seen - 1; left > 0; first = first->next, ++count) {
    uint64_t part = first->size < left ? first->size : left;
    parts[count] = {const_cast<char*>(first->data), static_cast<size_t>(part)};
    left -= part;
  }
  parts[count++] = {reinterpret_cast<void*>(1), 1};  // nowhere
  look_from(one, offset);
  long length = look_into(one.fd, parts, count, 0, &look);
  if (length >= 0) close_passed(look);
  return length == -EFAULT ? 0 : length;
}

/// A Unix stream. One look ends where the sender changes, if that is told, and behind what was sent with descriptors.
int32_t peek_unix_stream(Socket* one) {
  static Look look;
  for (uint64_t offset = 0, left = waiting(*one); left > 0;) {
    Message** begin = one->queue_end;
    look_from(*one, offset);
    long count = peek_stream(one, left, &look);
    if (count <= 0) return static_cast<int32_t>(count == -EAGAIN ? 0 : count);
    if (look.passed_count > 0) {
      long length = length_before_passed(*one, offset, static_cast<uint64_t>(count), *begin);
      if (length != 0) {
        // What is before them is a message of its own. A look that ends there brings them, too.
        close_passed(look);
        if (length < 0) return static_cast<int32_t>(length);
        one->queue_end = begin;
        *begin = nullptr;
        look_from(*one, offset);
        count = peek_stream(one, static_cast<uint64_t>(length), &look);
        close_passed(look);
        if (count <= 0) return static_cast<int32_t>(count);
      } else if (int32_t error = note_passed(*begin, look)) {
        return error;
      }
    }
    for (Message* message = *begin; message != nullptr; message = message->next) message->author = look.author;
    offset += static_cast<uint64_t>(count);
    left -= static_cast<uint64_t>(count) < left ? static_cast<uint64_t>(count) : left;
  }
  return 0;
}

int32_t peek_all(Socket* one) {
  if (is_stream(*one) && has_urgent(*one)) return refuse_for_now(*one, "urgent data of a Unix socket (MSG_OOB); try again when it was read", nullptr);
  int32_t result = is_stream(*one) ? peek_unix_stream(one) : peek_messages(one);
  if (result == -EBADF) return refuse_for_now(*one, "descriptors that were passed over it and cannot be opened for a look (ulimit -n, or more than 2048); try again when they were received", nullptr);
  if (result == -ESTALE) return refuse_for_now(*one, "messages of no bytes that an earlier checkpoint has looked at, and others that came since; try again when they were read", nullptr);
  if (result < 0) return refuse(*one, "a receive queue that cannot be read", nullptr);
  for (Message* message = one->queue; message != nullptr; message = message->next) {
    auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
    if (ids != nullptr && message->author > 0) message->author = ids->to_virtual(message->author);
    one->deferred = one->deferred || message->passed_count > 0 || (message->author > 0 && message->author != host->virtual_pid());
  }
  return 0;
}

int32_t peek_tcp(Socket* one) {
  static Look look;
  uint64_t there = waiting(*one);
  // A look that begins at the place of urgent data passes over it.
  bool urgent = has_urgent(*one);
  long count = there == 0 ? 0 : peek_stream(one, there, &look);
  if (count < 0) return refuse(*one, "a receive queue that cannot be read", nullptr);
  if (urgent) return peek_urgent(one, static_cast<uint64_t>(count));
  return count == static_cast<long>(there) ? 0 : refuse(*one, "a receive queue that cannot be read", nullptr);
}

void pause_a_moment() {
  struct timespec pause = {0, 2000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

}  // namespace

void look_from(const Socket& one, uint64_t offset) {
  auto value = static_cast<int32_t>(offset);
  sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_PEEK_OFF, pointer(&value), sizeof value);
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

Message* add_message(Socket* one, uint32_t capacity) {
  auto* message = static_cast<Message*>(take_memory(sizeof(Message) + capacity));
  if (message == nullptr) return nullptr;
  message->size = capacity;
  *one->queue_end = message;
  one->queue_end = &message->next;
  return message;
}

int32_t save_queue(Socket* one) {
  if (one->family == AF_NETLINK || take_looked(one)) return 0;
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

namespace {

/// To twice what it is. One that has grown by itself may be larger than what anybody may ask for, and would become smaller.
void enlarge_send_buffer(int32_t fd) {
  char text[32];
  const char* at = text;
  int64_t most = 0;
  int32_t now = 0;
  uint32_t size = sizeof now;
  if (plugin::read_file(host, "/proc/sys/net/core/wmem_max", text, sizeof text) <= 0 || !plugin::read_number(&at, 10, &most)) return;
  if (sys(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDBUF, pointer(&now), pointer(&size)) < 0 || most <= now / 2) return;
  sys(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, pointer(&now), sizeof now);
}

}  // namespace

int32_t send_whole(int32_t fd, const char* data, uint64_t size) {
  uint64_t done = 0;
  int32_t waited = 0;
  do {
    long count = sys(SYS_sendto, fd, pointer(data + done), static_cast<long>(size - done), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (count == -EINTR) continue;
    if (count == -EAGAIN || count == -ENOBUFS) {
      // There was room before. Buffers that grow by themselves may need a moment; then a larger one has to be asked for.
      if (++waited > 500) return -ENOBUFS;
      if (waited % 25 == 0) enlarge_send_buffer(fd);
      pause_a_moment();
      continue;
    }
    if (count < 0) return static_cast<int32_t>(count);
    done += static_cast<uint64_t>(count);
    waited = 0;
  } while (done < size);
  return 0;
}

/// A receive buffer grows by itself only while the application reads, up to a size that nobody may choose (SO_RCVBUF ends earlier). A
/// low-water mark makes it as large as that needs; set_late_options puts the application's own back, and the buffer stays.
void make_room(const Socket& one) {
  if (is_unix(one) || !is_stream(one)) return;
  uint64_t bytes = 0;
  for (const Message* message = one.queue; message != nullptr; message = message->next) bytes += message->size;
  int32_t mark = bytes < INT32_MAX ? static_cast<int32_t>(bytes) : INT32_MAX;
  if (mark > 0) sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_RCVLOWAT, pointer(&mark), sizeof mark);
}

int32_t fill_from(const Socket& one, int32_t other_end) {
  make_room(one);
  for (const Message* message = one.queue; message != nullptr; message = message->next) {
    if (message->size == 0 && is_stream(one)) continue;
    int32_t error = message->urgent != 0 ? send_urgent(other_end, *message) : send_whole(other_end, message->data, message->size);
    if (error < 0) return error;
  }
  return read_urgent(one);
}

int32_t address_for(const Socket& receiver, int32_t sender, Address* to) {
  if (is_unix(receiver)) return reach(receiver.type, receiver.shown_local, to);
  Address target = {}, from = {}, unused = {};
  read_addresses(receiver.fd, &target, &unused);
  // What is bound to every address of this host is reached by the loopback one.
  if (is_any(target)) {
    target.bytes[target.family() == AF_INET ? 4 : 23] = target.family() == AF_INET ? 127 : 1;
    if (target.family() == AF_INET) target.bytes[7] = 1;
  }
  read_addresses(sender, &from, &unused);
  *to = as_family(target, from.family());
  return 0;
}

int32_t fill_datagrams(const Socket& one) {
  const bool shared = shares_address(one);
  for (const Message* message = one.queue; message != nullptr; message = message->next) {
    int32_t sender = open_sender(one, *message);
    if (sender < 0) return sender;
    Address to = {};
    int32_t error = address_for(one, sender, &to);
    const bool begun = error == 0 && shared;
    auto send_to = [&](const Address& address) {
      return static_cast<int32_t>(sys(SYS_sendto, sender, pointer(message->data), message->size, MSG_DONTWAIT | MSG_NOSIGNAL, pointer(address.bytes), address.size));
    };
    Address by = to;
    if (begun) begin_sole(one, sender, &by);
    if (error == 0) error = send_to(by);
    if (begun) end_sole(one, sender, by);
    // The host may have no way for groups.
    if (error == -ENETUNREACH && !same_address(by, to)) error = send_to(to);
    sys(SYS_close, sender);
    if (error < 0) return error;
  }
  return 0;
}

}  // namespace cairn::sockets
