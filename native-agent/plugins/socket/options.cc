// Options of sockets. Only what differs from a fresh socket's is set again, so that no default becomes a decision. Some would be in
// the way while queues are filled; those come last. [quiesced] and [restoring]
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/filter.h>

#include "common/limited.h"
#include "socket/socket.h"

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

namespace cairn::sockets {
namespace {

enum When : uint8_t { early, late };
struct Option {
  int16_t level;
  int16_t name;
  uint8_t size;
  When when;
};

constexpr Option options[] = {
    {SOL_SOCKET, SO_REUSEPORT, 4, early},
    {SOL_SOCKET, SO_KEEPALIVE, 4, early},
    {SOL_SOCKET, SO_BROADCAST, 4, early},
    {SOL_SOCKET, SO_OOBINLINE, 4, early},
    {SOL_SOCKET, SO_PRIORITY, 4, early},
    {SOL_SOCKET, SO_DONTROUTE, 4, early},
    {SOL_SOCKET, SO_PASSCRED, 4, early},
    {SOL_SOCKET, SO_PASSSEC, 4, early},
    {SOL_SOCKET, SO_PASSPIDFD, 4, early},
    {SOL_SOCKET, SO_TIMESTAMP, 4, early},
    {SOL_SOCKET, SO_TIMESTAMPNS, 4, early},
    {SOL_SOCKET, SO_RXQ_OVFL, 4, early},
    {SOL_SOCKET, SO_NO_CHECK, 4, early},
    {SOL_SOCKET, SO_MARK, 4, early},
    {SOL_SOCKET, SO_ZEROCOPY, 4, early},
    {SOL_SOCKET, SO_BUSY_POLL, 4, early},
    {SOL_SOCKET, SO_MAX_PACING_RATE, 8, early},
    {SOL_SOCKET, SO_SELECT_ERR_QUEUE, 4, early},
    {SOL_SOCKET, SO_BINDTODEVICE, 16, early},
    {SOL_SOCKET, SO_RCVTIMEO, 16, early},
    {SOL_SOCKET, SO_SNDTIMEO, 16, early},
    {SOL_SOCKET, SO_LINGER, 8, late},
    {SOL_SOCKET, SO_RCVLOWAT, 4, late},
    {SOL_SOCKET, SO_PEEK_OFF, 4, late},
    {SOL_SOCKET, SO_REUSEADDR, 4, late},
    {IPPROTO_TCP, TCP_NODELAY, 4, early},
    {IPPROTO_TCP, TCP_KEEPIDLE, 4, early},
    {IPPROTO_TCP, TCP_KEEPINTVL, 4, early},
    {IPPROTO_TCP, TCP_KEEPCNT, 4, early},
    {IPPROTO_TCP, TCP_SYNCNT, 4, early},
    {IPPROTO_TCP, TCP_LINGER2, 4, early},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, 4, early},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, 4, early},
    {IPPROTO_TCP, TCP_FASTOPEN, 4, early},
    {IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 4, early},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4, late},
    {IPPROTO_TCP, TCP_CONGESTION, 16, early},
    {IPPROTO_TCP, TCP_CORK, 4, late},
    {IPPROTO_IP, IP_TOS, 4, early},
    {IPPROTO_IP, IP_TTL, 4, early},
    {IPPROTO_IP, IP_PKTINFO, 4, early},
    {IPPROTO_IP, IP_RECVTTL, 4, early},
    {IPPROTO_IP, IP_RECVTOS, 4, early},
    {IPPROTO_IP, IP_RECVERR, 4, early},
    {IPPROTO_IP, IP_RECVORIGDSTADDR, 4, early},
    {IPPROTO_IP, IP_MTU_DISCOVER, 4, early},
    {IPPROTO_IP, IP_FREEBIND, 4, early},
    {IPPROTO_IP, IP_MULTICAST_TTL, 4, early},
    {IPPROTO_IP, IP_MULTICAST_LOOP, 4, early},
    {IPPROTO_IP, IP_MULTICAST_ALL, 4, late},
    {IPPROTO_IP, IP_TRANSPARENT, 4, early},
    {IPPROTO_IP, IP_MINTTL, 4, late},
    {IPPROTO_IPV6, IPV6_V6ONLY, 4, early},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4, early},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, 4, early},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 4, early},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, 4, early},
    {IPPROTO_IPV6, IPV6_TCLASS, 4, early},
    {IPPROTO_IPV6, IPV6_RECVERR, 4, early},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, 4, early},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 4, early},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 4, early},
    {IPPROTO_IPV6, IPV6_MULTICAST_IF, 4, early},
    {IPPROTO_IPV6, IPV6_MULTICAST_ALL, 4, late},
};
constexpr uint32_t option_count = sizeof options / sizeof options[0];
static_assert(option_count + 2 <= max_options);
// Behind those: the sizes of the buffers, where the application chose them.
constexpr uint32_t send_buffer = option_count, receive_buffer = option_count + 1;
constexpr uint32_t send_locked = 1, receive_locked = 2;

bool applies(const Socket& one, const Option& option) {
  switch (option.level) {
    case IPPROTO_TCP: return one.family != AF_UNIX && one.type == SOCK_STREAM;
    // An accepted connection has that of the first packet, which nobody can set.
    case IPPROTO_IP: return one.family == AF_INET && (option.name != IP_MULTICAST_TTL || one.type != SOCK_STREAM);
    case IPPROTO_IPV6: return one.family == AF_INET6;
    default: return true;
  }
}

void read_option(int32_t fd, int level, int name, uint32_t capacity, OptionValue* value) {
  uint32_t size = capacity;
  long result = sys(SYS_getsockopt, fd, level, name, pointer(value->bytes), pointer(&size));
  value->size = result < 0 ? 0 : size;
}

void set_if_different(int32_t fd, const Option& option, const OptionValue& wanted) {
  OptionValue now = {};
  read_option(fd, option.level, option.name, option.size, &now);
  if (now.size == wanted.size) {
    bool equal = true;
    for (uint32_t i = 0; i < wanted.size; ++i) equal = equal && now.bytes[i] == wanted.bytes[i];
    if (equal) return;
  }
  long result = sys(SYS_setsockopt, fd, option.level, option.name, pointer(wanted.bytes), wanted.size);
  if (result == 0) return;
  Text<256> text;
  text.add("an option of the socket with descriptor ").add(int64_t{fd}).add(" cannot be set again (level ").add(int64_t{option.level})
      .add(", option ").add(int64_t{option.name}).add(", error ").add(-result).add(")");
  host->log(CAIRN_LOG_WARNING, text.text());
}

void set_buffer(int32_t fd, int name, const OptionValue& value) {
  if (value.size != 4) return;
  int32_t half = *reinterpret_cast<const int32_t*>(value.bytes) / 2;  // the kernel doubles it
  sys(SYS_setsockopt, fd, SOL_SOCKET, name, pointer(&half), 4);
}

}  // namespace

namespace {

/// A classic filter, which the kernel gives back as it was set.
void save_filter(Socket* one) {
  uint32_t count = 0;
  if (sys(SYS_getsockopt, one->fd, SOL_SOCKET, SO_GET_FILTER, 0, pointer(&count)) < 0 || count == 0) return;
  auto* code = static_cast<struct sock_filter*>(take_memory(count * sizeof(struct sock_filter)));
  if (code == nullptr || sys(SYS_getsockopt, one->fd, SOL_SOCKET, SO_GET_FILTER, pointer(code), pointer(&count)) < 0) return;
  one->filter = code;
  one->filter_length = count;
}

/// What was in the queues has passed it already.
void set_filter(const Socket& one) {
  if (one.filter == nullptr) return;
  struct sock_fprog program = {static_cast<unsigned short>(one.filter_length), one.filter};
  if (sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_ATTACH_FILTER, pointer(&program), sizeof program) < 0)
    host->log(CAIRN_LOG_WARNING, "a socket's filter cannot be set again");
}

}  // namespace

namespace {

/// One that somebody else has set: this process is to note its calls from now on.
void note_limit(const Option& option, const OptionValue& value) {
  if (plugin::limit_of(option.level, option.name) == 0) return;
  for (uint32_t i = 0; i < value.size; ++i) {
    if (value.bytes[i] != 0) __atomic_store_n(&plugin::socket_limits_used, true, __ATOMIC_RELAXED);
  }
}

}  // namespace

void save_options(Socket* one) {
  save_filter(one);
  for (uint32_t i = 0; i < option_count; ++i) {
    if (!applies(*one, options[i])) continue;
    read_option(one->fd, options[i].level, options[i].name, options[i].size, &one->options[i]);
    note_limit(options[i], one->options[i]);
  }
  OptionValue lock = {};
  read_option(one->fd, SOL_SOCKET, SO_BUF_LOCK, 4, &lock);
  one->buffer_lock = lock.size == 4 ? *reinterpret_cast<const uint32_t*>(lock.bytes) : 0;
  read_option(one->fd, SOL_SOCKET, SO_SNDBUF, 4, &one->options[send_buffer]);
  read_option(one->fd, SOL_SOCKET, SO_RCVBUF, 4, &one->options[receive_buffer]);
}

const OptionValue* reuse_address(const Socket& one) {
  for (uint32_t i = 0; i < option_count; ++i) {
    const OptionValue& value = one.options[i];
    if (options[i].level != SOL_SOCKET || options[i].name != SO_REUSEADDR) continue;
    return value.size == sizeof(int32_t) && *reinterpret_cast<const int32_t*>(value.bytes) != 0 ? &value : nullptr;
  }
  return nullptr;
}

void set_options(const Socket& one, int32_t fd) {
  for (uint32_t i = 0; i < option_count; ++i) {
    if (options[i].when == early && one.options[i].size != 0) set_if_different(fd, options[i], one.options[i]);
  }
  if ((one.buffer_lock & send_locked) != 0) set_buffer(fd, SO_SNDBUF, one.options[send_buffer]);
  if ((one.buffer_lock & receive_locked) != 0) set_buffer(fd, SO_RCVBUF, one.options[receive_buffer]);
}

void set_late_options(const Socket& one) {
  set_filter(one);
  for (uint32_t i = 0; i < option_count; ++i) {
    if (options[i].when == late && one.options[i].size != 0) set_if_different(one.fd, options[i], one.options[i]);
  }
  // Filling a queue may have made them larger for a moment.
  OptionValue now = {};
  read_option(one.fd, SOL_SOCKET, SO_BUF_LOCK, 4, &now);
  uint32_t locked = now.size == 4 ? *reinterpret_cast<const uint32_t*>(now.bytes) : one.buffer_lock;
  if ((locked & send_locked) != 0) set_buffer(one.fd, SO_SNDBUF, one.options[send_buffer]);
  if ((locked & receive_locked) != 0) set_buffer(one.fd, SO_RCVBUF, one.options[receive_buffer]);
  if (locked != one.buffer_lock) sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_BUF_LOCK, pointer(&one.buffer_lock), 4);
}

}  // namespace cairn::sockets
