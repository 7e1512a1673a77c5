// Whether a call's count is short because of the stop. Each kind of call has its own ways to be short by itself (what has ended, what does
// not wait, what counts as enough): one that may be whole is left alone, since its rest could wait for what never comes.
// Context: the process that stops the threads, with a table of descriptors of its own.
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <asm/termbits.h>

#include "sys/context.h"
#include "sys/file.h"
#include "trace/rest.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

namespace cairn::trace {
namespace {

using sys::call;
using sys::failed;
using sys::processor::peek;

/// The kernel gives no more at once to a read that waits for more than this.
constexpr uint64_t terminal_block = 64;
constexpr uint64_t splice_nonblock = 2;
constexpr uint64_t no_wait = 8;  // RWF_NOWAIT
constexpr uint64_t most_messages = 1024;

struct Status {
  bool known = false;
  uint64_t own = 0, shared = 0, blocked = 0, ignored = 0, caught = 0, filter = 0;
};

Status status_of(int32_t process, int32_t tid) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process).add("/task/").number(tid).add("/status");
  char text[4096];
  long size = sys::read_all(path.c_str(), text, sizeof text);
  Status status;
  // Too long for here with very many groups, which come before all that is looked for.
  status.known = size > 0;
  struct {
    const char* name;
    uint64_t* value;
  } const lines[] = {{"SigPnd", &status.own},     {"ShdPnd", &status.shared}, {"SigBlk", &status.blocked},
                     {"SigIgn", &status.ignored}, {"SigCgt", &status.caught}, {"Seccomp", &status.filter}};
  sys::TextReader reader(sys::Text(text, size > 0 ? static_cast<size_t>(size) : 0));
  while (!reader.done()) {
    sys::TextReader line(reader.until('\n'));
    sys::Text name = line.until(':');
    for (const auto& wanted : lines) {
      if (!(name == sys::Text(wanted.name))) continue;
      line.skip_spaces();
      (void)line.number(wanted.value, 16);
    }
  }
  return status;
}

constexpr uint64_t bit(int signal) { return uint64_t{1} << (signal - 1); }

/// A signal waits that the thread takes at once: what it has done by then is what the call gives. Not one that is ignored: such a one
/// is kept only for who is traced, and would have ended nothing.
bool has_signal(const Status& status) {
  constexpr uint64_t ignored_by_default = bit(SIGCHLD) | bit(SIGURG) | bit(SIGWINCH) | bit(SIGCONT);
  return ((status.own | status.shared) & ~status.blocked & ~status.ignored & ~(ignored_by_default & ~status.caught)) != 0;
}

enum class Behind : uint8_t { other, pipe, stream, messages, terminal, master, endless };

/// One of the stopped thread's descriptors, here.
class Borrowed {
 public:
  Borrowed(int32_t process, int32_t tid, uint64_t fd) {
    sys::UniqueFd of_thread(call(SYS_pidfd_open, tid, PIDFD_THREAD));
    if (!of_thread.ok()) of_thread = sys::UniqueFd(call(SYS_pidfd_open, process, 0));
    if (of_thread.ok()) fd_ = sys::UniqueFd(call(SYS_pidfd_getfd, of_thread.get(), fd, 0));
  }
  [[nodiscard]] int get() const { return fd_.get(); }

  /// Of what may wait, and is not asked not to.
  [[nodiscard]] Behind behind() const {
    struct stat64 status;
    if (!fd_.ok() || failed(call(SYS_fstat, fd_.get(), &status))) return Behind::other;
    if (S_ISCHR(status.st_mode) && (status.st_rdev >> 8 & 0xfff) == 1) {
      uint64_t minor = status.st_rdev & 0xff;
      return minor == 5 || (minor >= 7 && minor <= 9) ? Behind::endless : Behind::other;  // zero, full, random, urandom
    }
    int64_t flags = call(SYS_fcntl, fd_.get(), F_GETFL);
    if (failed(flags) || (flags & (O_NONBLOCK | O_PATH)) != 0) return Behind::other;
    if (S_ISFIFO(status.st_mode)) return Behind::pipe;
    if (S_ISSOCK(status.st_mode)) return option(SO_TYPE) == SOCK_STREAM ? Behind::stream : Behind::messages;
    struct termios modes;
    int lock;
    if (!S_ISCHR(status.st_mode) || failed(call(SYS_ioctl, fd_.get(), TCGETS, &modes))) return Behind::other;
    return failed(call(SYS_ioctl, fd_.get(), TIOCGPTLCK, &lock)) ? Behind::terminal : Behind::master;
  }
  [[nodiscard]] int32_t option(int name) const {
    int32_t value = 0;
    uint32_t size = sizeof value;
    return failed(call(SYS_getsockopt, fd_.get(), SOL_SOCKET, name, &value, &size)) ? 0 : value;
  }

 private:
  sys::UniqueFd fd_;
};

/// The sum of the parts' lengths; 0 where they are not there (any more: the kernel has a copy of its own).
uint64_t length_of(const Parts& parts) {
  if (parts.list == &parts.one) return parts.one.iov_len;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < parts.count; ++i) {
    struct iovec part;
    if (!peek(reinterpret_cast<uintptr_t>(&parts.list[i]), &part, sizeof part)) return 0;
    sum += part.iov_len;
  }
  return sum;
}

bool at_current_position(const Call& cut) {
  bool current = static_cast<long>(cut.arguments[3]) == -1 && (sizeof(long) == 8 || static_cast<int32_t>(cut.arguments[4]) == -1);
  return current && (cut.arguments[5] & no_wait) == 0;
}

/// With how many bytes a read is whole; 0: this one is.
uint64_t terminal_target(const Borrowed& fd, uint64_t length, uint8_t* pause) {
  struct termios modes;
  if (failed(call(SYS_ioctl, fd.get(), TCGETS, &modes)) || (modes.c_lflag & ICANON) != 0) return 0;
  uint64_t target = modes.c_cc[VMIN];
  *pause = target > 0 ? modes.c_cc[VTIME] : 0;
  if (target > terminal_block) target = terminal_block;
  return target < length ? target : length;
}

/// In the same way, of a socket; `rest` has no target where all is wanted.
bool plan_receive(const Borrowed& fd, const Call& cut, uint64_t flags, uint64_t done, uint64_t length, Rest* rest) {
  rest->kind = Kind::receives;
  int32_t at_mark = 0;
  // Before urgent data a read ends.
  if (!failed(call(SYS_ioctl, fd.get(), SIOCATMARK, &at_mark)) && at_mark != 0) return false;
  if (cut.number == SYS_recvmsg) {
    // What comes with the bytes of a local socket needs room of which the kernel has overwritten the size.
    struct msghdr header;
    if (!peek(cut.arguments[1], &header, sizeof header)) return false;
    if (header.msg_control != nullptr && fd.option(SO_DOMAIN) == AF_UNIX) return false;
  }
  auto low_mark = static_cast<uint64_t>(fd.option(SO_RCVLOWAT));
  if ((flags & MSG_WAITALL) == 0) {
    rest->target = static_cast<uint32_t>(low_mark < length ? low_mark : length);
    return rest->target > done && rest->confined == 0;
  }
  if (low_mark > 1) rest->target = static_cast<uint32_t>(length);
  return length <= INT32_MAX;
}

bool plan_message_calls(const Borrowed& fd, const Call& cut, uint64_t done, Rest* rest) {
  Behind behind = fd.behind();
  if (behind != Behind::stream && behind != Behind::messages) return false;
  uint64_t count = cut.arguments[2], flags = cut.arguments[3];
  if ((flags & (MSG_DONTWAIT | MSG_OOB | MSG_ZEROCOPY)) != 0) return false;
  if (cut.number == SYS_sendmmsg) {
    rest->kind = Kind::sends_messages;
    struct mmsghdr last;
    if (!peek(cut.arguments[1] + (done - 1) * sizeof last, &last, sizeof last)) return false;
    bool in_part = behind == Behind::stream && rest->confined == 0;
    return done < (count < most_messages ? count : most_messages) || in_part;
  }
  rest->kind = Kind::receives_messages;
  if (done >= count || (flags & (MSG_WAITFORONE | MSG_PEEK | MSG_ERRQUEUE)) != 0) return false;
  int64_t left[2] = {0, 0};
  size_t size = cut.number == SYS_recvmmsg && sizeof(long) == 4 ? sizeof(int64_t) : sizeof left;
  if (cut.arguments[4] != 0 && (!peek(cut.arguments[4], left, size) || (left[0] == 0 && left[1] == 0))) return false;
  // Of a call that ends so the kernel keeps the reason as the socket's error, and would give it to the next one: also this one, which is
  // none that a program could know.
  constexpr int32_t begins_anew = 512, begins_anew_last = 516;
  int32_t error = fd.option(SO_ERROR);
  return error == 0 || error == EINTR || (error >= begins_anew && error <= begins_anew_last);
}

}  // namespace

bool plan_rest(int32_t process, int32_t tid, const Call& cut, int64_t count, Rest* rest) {
  const uint64_t* a = cut.arguments;
  auto done = static_cast<uint64_t>(count);
  *rest = {};
  rest->number = static_cast<uint16_t>(cut.number);
  Status status = status_of(process, tid);
  if (!status.known || has_signal(status)) return false;
  rest->confined = status.filter != 0 ? 1 : 0;

  switch (cut.number) {
    case SYS_getrandom: rest->kind = Kind::takes_random; return done < a[1];
    case SYS_sendfile:
#ifdef SYS_sendfile64
    case SYS_sendfile64:
#endif
    {
      if (done >= a[3]) return false;
      rest->kind = Kind::sends_file;
      Behind to = Borrowed(process, tid, a[0]).behind();
      return to == Behind::stream || to == Behind::terminal || to == Behind::master;
    }
    case SYS_splice: {
      if (done >= a[4] || (a[5] & splice_nonblock) != 0 || rest->confined != 0) return false;
      rest->kind = Kind::splices;
      Behind to = Borrowed(process, tid, a[2]).behind();
      return to == Behind::stream || to == Behind::terminal || to == Behind::master;
    }
    case SYS_sendmmsg:
    case SYS_recvmmsg:
#ifdef SYS_recvmmsg_time64
    case SYS_recvmmsg_time64:
#endif
      return plan_message_calls(Borrowed(process, tid, a[0]), cut, done, rest);
    case SYS_sendmsg:
    case SYS_recvmsg: {
      struct msghdr header;
      if (!peek(a[1], &header, sizeof header)) return false;
      break;
    }
    default: break;
  }

  Parts parts;
  if (!parts_of(cut, &parts)) return false;
  uint64_t length = length_of(parts);
  if (done >= length) return false;
  if ((parts.flags & (MSG_DONTWAIT | MSG_PEEK | MSG_OOB | MSG_TRUNC | MSG_ERRQUEUE | MSG_ZEROCOPY)) != 0) return false;
  Borrowed fd(process, tid, a[0]);
  Behind behind = fd.behind();
  switch (cut.number) {
    case SYS_pwritev2:
      if (!at_current_position(cut)) return false;
      [[fallthrough]];
    case SYS_write:
    case SYS_writev:
      rest->kind = behind == Behind::stream ? Kind::sends : Kind::writes;
      return behind != Behind::other && behind != Behind::messages;
    case SYS_sendto:
    case SYS_sendmsg: rest->kind = Kind::sends; return behind == Behind::stream;
    case SYS_recvfrom:
    case SYS_recvmsg: return behind == Behind::stream && plan_receive(fd, cut, parts.flags, done, length, rest);
    case SYS_preadv2:
      if (behind != Behind::endless && !at_current_position(cut)) return false;
      break;
    default: break;
  }
  if (behind == Behind::endless) {
    rest->kind = Kind::reads_device;
    return true;
  }
  if (cut.number == SYS_pread64 || cut.number == SYS_preadv) return false;
  if (behind == Behind::stream) return plan_receive(fd, cut, 0, done, length, rest);
  if (behind != Behind::terminal) return false;
  rest->kind = Kind::reads_terminal;
  rest->target = static_cast<uint32_t>(terminal_target(fd, length, &rest->pause));
  return done < rest->target && (rest->pause == 0 || rest->confined == 0);
}

}  // namespace cairn::trace
