#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "sys/syscall.h"
#include "trace/rest.h"

namespace cairn::trace {
namespace {

using sys::call;

/// One part, by the same call.
int64_t transfer(const Call& cut, uint64_t flags, uint64_t at, uint64_t size) {
  const uint64_t* a = cut.arguments;
  struct iovec part = {reinterpret_cast<void*>(at), static_cast<size_t>(size)};
  switch (cut.number) {
    case SYS_read:
    case SYS_write: return call(cut.number, a[0], at, size);
    case SYS_pread64: return call(SYS_pread64, a[0], at, size, a[3]);
    case SYS_sendto:
    case SYS_recvfrom: return call(cut.number, a[0], at, size, flags, 0, 0);
    case SYS_sendmsg:
    case SYS_recvmsg: {
      // Neither the name of the other end, nor what went with the first bytes: this is a stream.
      struct msghdr header = {};
      header.msg_iov = &part;
      header.msg_iovlen = 1;
      return call(cut.number, a[0], &header, flags);
    }
    default: return call(cut.number, a[0], &part, 1, a[3], a[4], a[5]);
  }
}

/// Goes through what is left of the parts, of `most` bytes at most: `move`(address, size) gives how many it has moved. What was done with it.
template <typename Move>
int64_t go_through(const Parts& parts, int64_t done, uint64_t most, Move move) {
  auto skip = static_cast<uint64_t>(done);
  for (uint64_t i = 0; i < parts.count; ++i) {
    uint64_t length = parts.list[i].iov_len;
    if (skip >= length) {
      skip -= length;
      continue;
    }
    for (uint64_t at = skip; at < length && static_cast<uint64_t>(done) < most;) {
      uint64_t size = length - at;
      if (size > most - static_cast<uint64_t>(done)) size = most - static_cast<uint64_t>(done);
      int64_t count = move(reinterpret_cast<uintptr_t>(parts.list[i].iov_base) + at, size);
      if (count <= 0) return done;
      done += count;
      at += static_cast<uint64_t>(count);
    }
    skip = 0;
  }
  return done;
}

/// For what is to be given up after the first part that is not whole: a stop does not end one early (it comes here once more), but a
/// signal did, or a time-out.
class Whole {
 public:
  template <typename Move>
  int64_t operator()(uint64_t size, Move move) {
    if (ended_) return 0;
    int64_t count = move();
    ended_ = count < 0 || static_cast<uint64_t>(count) < size;
    return count;
  }

 private:
  bool ended_ = false;
};

/// Waits for a socket, not for longer than its time limit. Where it has an error, nothing is done that would take it away from the program.
class Turn {
 public:
  Turn(uint64_t fd, int limit, short events) : fd_(fd), events_(events) {
    struct timeval time = {};
    uint32_t size = sizeof time;
    if (call(SYS_getsockopt, fd, SOL_SOCKET, limit, &time, &size) == 0 && (time.tv_sec != 0 || time.tv_usec != 0)) {
      left_ = {time.tv_sec, time.tv_usec * 1000};
      limited_ = true;
    }
  }
  bool comes() {
    struct pollfd one = {static_cast<int>(fd_), events_, 0};
    // The kernel leaves in left_ what remains.
    return call(SYS_ppoll, &one, 1, limited_ ? &left_ : nullptr, nullptr, 0) == 1 && (one.revents & (POLLERR | POLLNVAL)) == 0;
  }

 private:
  uint64_t fd_;
  short events_;
  bool limited_ = false;
  struct timespec left_ = {};
};

// The kernel's own numbers of the option, with times as wide as the program's long.
constexpr int receive_limit = 20, send_limit = 21;

int64_t send(const Rest& rest, const Call& cut, const Parts& parts, int64_t done, uint64_t most) {
  Whole whole;
  if (rest.confined != 0) {
    return go_through(parts, done, most, [&](uint64_t at, uint64_t size) { return whole(size, [&] { return transfer(cut, parts.flags, at, size); }); });
  }
  Turn turn(cut.arguments[0], send_limit, POLLOUT);
  uint64_t flags = parts.flags | MSG_DONTWAIT | MSG_NOSIGNAL;
  return go_through(parts, done, most, [&](uint64_t at, uint64_t size) {
    for (;;) {
      if (!turn.comes()) return int64_t{0};
      int64_t count = call(SYS_sendto, cut.arguments[0], at, size, flags, 0, 0);
      if (count != -EAGAIN) return count;
    }
  });
}

int64_t receive(const Rest& rest, const Call& cut, const Parts& parts, int64_t done) {
  Whole whole;
  if (rest.confined != 0) {
    return go_through(parts, done, ~uint64_t{0}, [&](uint64_t at, uint64_t size) { return whole(size, [&] { return transfer(cut, parts.flags, at, size); }); });
  }
  if (rest.target != 0) {
    // A socket that tells of no fewer bytes than that cannot be asked for the rest of them but by waiting in the call.
    uint64_t flags = parts.flags | MSG_WAITALL;
    return go_through(parts, done, rest.target,
                      [&](uint64_t at, uint64_t size) { return whole(size, [&] { return call(SYS_recvfrom, cut.arguments[0], at, size, flags, 0, 0); }); });
  }
  Turn turn(cut.arguments[0], receive_limit, POLLIN);
  uint64_t flags = (parts.flags & ~uint64_t{MSG_WAITALL}) | MSG_DONTWAIT;
  return go_through(parts, done, ~uint64_t{0}, [&](uint64_t at, uint64_t size) {
    for (;;) {
      if (!turn.comes()) return int64_t{0};
      int64_t count = call(SYS_recvfrom, cut.arguments[0], at, size, flags, 0, 0);
      if (count != -EAGAIN) return count;
    }
  });
}

/// No call asks for more than what is missing, since each waits for as many bytes as the terminal's modes say, or for all that it asks for.
int64_t read_terminal(const Rest& rest, const Call& cut, const Parts& parts, int64_t done) {
  Whole whole;
  return go_through(parts, done, rest.target, [&](uint64_t at, uint64_t size) {
    return whole(size, [&] {
      if (rest.pause != 0) {
        // The time between two bytes begins with a call's first one.
        struct pollfd one = {static_cast<int>(cut.arguments[0]), POLLIN, 0};
        struct timespec left = {rest.pause / 10, rest.pause % 10 * 100'000'000L};
        if (call(SYS_ppoll, &one, 1, &left, nullptr, 0) != 1) return int64_t{0};
      }
      return transfer(cut, 0, at, size);
    });
  });
}

int64_t send_messages(const Rest& rest, const Call& cut, int64_t done) {
  const uint64_t* a = cut.arguments;
  auto* messages = reinterpret_cast<struct mmsghdr*>(a[1]);
  struct mmsghdr& last = messages[done - 1];
  Call one = {SYS_sendmsg, {a[0], reinterpret_cast<uintptr_t>(&last.msg_hdr), a[3]}};
  Parts parts;
  // Of a stream the last one may have been sent in part.
  int32_t type = SOCK_STREAM;
  uint32_t size = sizeof type;
  if (rest.confined == 0 && call(SYS_getsockopt, a[0], SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM && parts_of(one, &parts)) {
    uint64_t length = 0;
    for (uint64_t i = 0; i < parts.count; ++i) length += parts.list[i].iov_len;
    if (last.msg_len < length) last.msg_len = static_cast<unsigned>(send(rest, one, parts, last.msg_len, length));
    if (last.msg_len < length) return done;
  }
  int64_t count = call(SYS_sendmmsg, a[0], &messages[done], a[2] - static_cast<uint64_t>(done), a[3]);
  return count > 0 ? done + count : done;
}

int64_t receive_messages(const Call& cut, int64_t done) {
  const uint64_t* a = cut.arguments;
  auto* messages = reinterpret_cast<struct mmsghdr*>(a[1]);
  // What remains of the time is where its argument points to.
  int64_t count = call(cut.number, a[0], &messages[done], a[2] - static_cast<uint64_t>(done), a[3], a[4]);
  return count > 0 ? done + count : done;
}

}  // namespace

bool parts_of(const Call& cut, Parts* parts) {
  const uint64_t* a = cut.arguments;
  parts->one = {reinterpret_cast<void*>(a[1]), static_cast<size_t>(a[2])};
  parts->list = &parts->one;
  parts->count = 1;
  parts->flags = 0;
  switch (cut.number) {
    case SYS_read:
    case SYS_write:
    case SYS_pread64: return true;
    case SYS_getrandom:
      parts->one = {reinterpret_cast<void*>(a[0]), static_cast<size_t>(a[1])};
      return true;
    case SYS_sendto:
    case SYS_recvfrom: parts->flags = a[3]; return true;
    case SYS_readv:
    case SYS_writev:
    case SYS_preadv:
    case SYS_preadv2:
    case SYS_pwritev2:
      parts->list = reinterpret_cast<const struct iovec*>(a[1]);
      parts->count = a[2];
      return true;
    case SYS_sendmsg:
    case SYS_recvmsg: {
      const auto* header = reinterpret_cast<const struct msghdr*>(a[1]);
      parts->list = header->msg_iov;
      parts->count = header->msg_iovlen;
      parts->flags = a[2];
      return true;
    }
    default: return false;
  }
}

int64_t make_rest(const Rest& rest, const Call& cut, int64_t done) {
  const uint64_t* a = cut.arguments;
  Parts parts = {};
  (void)parts_of(cut, &parts);
  Whole whole;
  auto same_call = [&](uint64_t at, uint64_t size) { return whole(size, [&] { return transfer(cut, parts.flags, at, size); }); };
  switch (rest.kind) {
    case Kind::writes:
    case Kind::reads_device: return go_through(parts, done, ~uint64_t{0}, same_call);
    case Kind::sends: return send(rest, cut, parts, done, ~uint64_t{0});
    case Kind::receives: return receive(rest, cut, parts, done);
    case Kind::reads_terminal: return read_terminal(rest, cut, parts, done);
    case Kind::takes_random:
      return go_through(parts, done, ~uint64_t{0}, [&](uint64_t at, uint64_t size) { return call(SYS_getrandom, at, size, a[2]); });
    case Kind::sends_messages: return send_messages(rest, cut, done);
    case Kind::receives_messages: return receive_messages(cut, done);
    case Kind::sends_file: {
      int64_t count = call(cut.number, a[0], a[1], a[2], a[3] - static_cast<uint64_t>(done));
      return count > 0 ? done + count : done;
    }
    case Kind::splices: {
      // Of what is in the pipe: more than that it would not have waited for.
      constexpr uint64_t nonblock = 2;  // SPLICE_F_NONBLOCK
      int64_t count = call(SYS_splice, a[0], a[1], a[2], a[3], a[4] - static_cast<uint64_t>(done), a[5] | nonblock);
      return count > 0 ? done + count : done;
    }
  }
  return done;
}

}  // namespace cairn::trace
