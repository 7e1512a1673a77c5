// Owns: what remains of the time limits of sockets (SO_RCVTIMEO, SO_SNDTIMEO) for calls that a stop interrupts, which are begun anew. The
// kernel does not tell when such a call began, and takes the limit from the socket when it begins: so the wrappers note the moment, and
// while the threads are stopped the socket gets what remains, until the call returns. Who asks for the limit meanwhile, or begins another
// call, has the application's own again.
// A stream of the Unix domain counts a send's limit from the last progress, of which nobody knows when it was: here it counts from the
// call's beginning, too. Only where the program uses such limits. [any] but for what says otherwise. Test: test/probes/sockets/limits.c.
#pragma once
#include <errno.h>
#include <sys/socket.h>

#include "common/remaining.h"

namespace cairn::plugin {

/// Some socket of this process has had a limit. Part of the image.
inline bool socket_limits_used = false;
inline uint32_t shortened_limits = 0;

// The options as the kernel has them, with times as wide as the program's own long; a 32-bit program may use others of the same limits.
constexpr int32_t receive_limit = 20, send_limit = 21;

/// Which of the two an option of a socket is; 0: none.
inline int32_t limit_of(int level, int name) {
  constexpr int wide_receive_limit = 66, wide_send_limit = 67;
  if (level != SOL_SOCKET) return 0;
  return name == receive_limit || name == wide_receive_limit ? receive_limit : name == send_limit || name == wide_send_limit ? send_limit : 0;
}

/// In [quiesced] all of them, before the options of sockets are saved; else those of one socket.
inline void put_back_limits(const cairn_host* host, int32_t fd, int32_t option) {
  if (__atomic_load_n(&shortened_limits, __ATOMIC_ACQUIRE) == 0) return;
  for (TimeSlot& slot : time_slots) {
    SocketLimit& limit = slot.limit;
    if (fd >= 0 && (limit.fd != fd || limit.option != option)) continue;
    if (__atomic_exchange_n(&limit.shortened, 0u, __ATOMIC_ACQ_REL) == 0) continue;
    __atomic_fetch_sub(&shortened_limits, 1, __ATOMIC_ACQ_REL);
    (void)call(host, SYS_setsockopt, limit.fd, SOL_SOCKET, limit.option, limit.whole, sizeof limit.whole);
  }
}
inline void put_back_limits(const cairn_host* host) { put_back_limits(host, -1, 0); }

/// [quiesced, restoring] Of a call that is under way since `elapsed` nanoseconds.
inline void shorten_limit(const cairn_host* host, SocketLimit* limit, int64_t elapsed) {
  long now[2] = {};
  uint32_t size = sizeof now;
  const long* whole = now;
  if (call(host, SYS_getsockopt, limit->fd, SOL_SOCKET, limit->option, now, &size) < 0 || size != sizeof now) return;
  // Of several threads that wait on it, the one with the least time counts.
  for (const TimeSlot& other : time_slots) {
    if (other.limit.shortened != 0 && other.limit.fd == limit->fd && other.limit.option == limit->option) whole = other.limit.whole;
  }
  int64_t chosen = int64_t{whole[0]} * 1'000'000 + whole[1], current = int64_t{now[0]} * 1'000'000 + now[1];
  int64_t left = chosen - elapsed / 1000;
  if (chosen == 0 || left >= current) return;
  if (left < 1) left = 1;  // 0 means no limit
  const long shorter[2] = {static_cast<long>(left / 1'000'000), static_cast<long>(left % 1'000'000)};
  limit->whole[0] = whole[0];
  limit->whole[1] = whole[1];
  if (call(host, SYS_setsockopt, limit->fd, SOL_SOCKET, limit->option, shorter, sizeof shorter) < 0) return;
  limit->shortened = 1;
  __atomic_fetch_add(&shortened_limits, 1, __ATOMIC_ACQ_REL);
}

/// For the time of one call of libc's on what may be a socket.
class Limited : private Remaining {
 public:
  Limited(const cairn_host* host, int fd, int32_t option) : Remaining(forever), host_(host) {
    put_back_limits(host, fd, option);
    if (slot() == nullptr) return;
    slot()->limit.fd = fd;
    __atomic_store_n(&slot()->limit.option, option, __ATOMIC_RELEASE);
  }
  ~Limited() {
    if (slot() == nullptr) return;
    put_back_limits(host_, slot()->limit.fd, slot()->limit.option);
    __atomic_store_n(&slot()->limit.option, 0, __ATOMIC_RELEASE);
  }
  Limited(const Limited&) = delete;
  Limited& operator=(const Limited&) = delete;

  /// How long a call of this slot is under way.
  static int64_t elapsed(const TimeSlot& slot, int64_t now) { return forever - (slot.deadline - now); }

 private:
  static constexpr int64_t forever = int64_t{1} << 61;
  const cairn_host* host_;
};

template <typename Call>
[[gnu::noinline]] auto limited(const cairn_host* host, int fd, int32_t option, Call call) {
  Limited noted(host, fd, option);
  return call();
}
/// Makes a call that may wait on a socket. Without limits it is a flag test.
template <typename Call>
[[gnu::always_inline]] inline auto receive(const cairn_host* host, int fd, Call call) {
  return __builtin_expect(__atomic_load_n(&socket_limits_used, __ATOMIC_RELAXED), false) ? limited(host, fd, receive_limit, call) : call();
}
template <typename Call>
[[gnu::always_inline]] inline auto send(const cairn_host* host, int fd, Call call) {
  return __builtin_expect(__atomic_load_n(&socket_limits_used, __ATOMIC_RELAXED), false) ? limited(host, fd, send_limit, call) : call();
}

}  // namespace cairn::plugin
