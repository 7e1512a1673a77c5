// Owns: the wrappers that read from a signalfd, whose records name the sender: after a restart by its virtual id. [any]
// They are points of cancellation, so libc's functions do it. What was read is looked at only where ids have other names, and only
// when it has the form of such records; then /proc says whether the descriptor is a signalfd. errno stays as the call left it.
// Test: test/probes/events/signals.c.
#include <string.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include <signal.h>

#include "common/limited.h"
#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(read);
CAIRN_PID_NEXT(readv);
static Next<ssize_t(int, void*, size_t, size_t)> next_read_chk{"__read_chk", nullptr};

void prepare_signal_reads() {
  next_read.get();
  next_readv.get();
  next_read_chk.get();
}

namespace {

constexpr size_t record_size = sizeof(struct signalfd_siginfo);

/// The kernel leaves the end of each record zero.
bool is_record(const struct signalfd_siginfo& record) {
  if (record.ssi_signo == 0 || record.ssi_signo > 64) return false;
  for (uint8_t byte : record.__pad) {
    if (byte != 0) return false;
  }
  return true;
}

bool is_signalfd(int fd) {
  plugin::Text<64> link;
  link.add("/proc/thread-self/fd/").add(int64_t{fd});
  char target[32];
  constexpr char wanted[] = "anon_inode:[signalfd]";
  long length = raw(SYS_readlink, pointer(link.text()), pointer(target), sizeof target);
  return length == sizeof wanted - 1 && memcmp(target, wanted, sizeof wanted - 1) == 0;
}

/// Does ssi_pid hold the sender?
bool has_sender(const struct signalfd_siginfo& record) {
  if (record.ssi_signo == SIGCHLD && record.ssi_code > 0) return true;
  return record.ssi_code == SI_USER || record.ssi_code == SI_QUEUE || record.ssi_code == SI_TKILL || record.ssi_code == SI_MESGQ;
}

[[gnu::noinline]] void name_senders(int fd, const struct iovec* parts, int count, size_t size) {
  // A record may lie in several parts.
  bool known = false;
  size_t in_part = 0;
  int part = 0;
  for (size_t done = 0; done < size; done += record_size) {
    struct signalfd_siginfo record;
    auto* bytes = reinterpret_cast<char*>(&record);
    char* pid_bytes[sizeof record.ssi_pid] = {};
    for (size_t i = 0; i < record_size; ++i) {
      while (part < count && in_part == parts[part].iov_len) ++part, in_part = 0;
      if (part == count) return;
      char* from = static_cast<char*>(parts[part].iov_base) + in_part++;
      bytes[i] = *from;
      size_t at = i - offsetof(struct signalfd_siginfo, ssi_pid);
      if (at < sizeof record.ssi_pid) pid_bytes[at] = from;
    }
    if (!is_record(record) || !(known = known || is_signalfd(fd))) return;
    if (!has_sender(record)) continue;
    record.ssi_pid = static_cast<uint32_t>(to_virtual(Space::id, static_cast<pid_t>(record.ssi_pid), true));
    for (size_t i = 0; i < sizeof record.ssi_pid; ++i) *pid_bytes[i] = bytes[offsetof(struct signalfd_siginfo, ssi_pid) + i];
  }
}

inline bool may_be_records(ssize_t size) {
  return __builtin_expect(size > 0 && size % static_cast<ssize_t>(record_size) == 0, 0) && active();
}

inline ssize_t named(int fd, void* buffer, ssize_t size) {
  if (may_be_records(size)) {
    struct iovec part = {buffer, static_cast<size_t>(size)};
    name_senders(fd, &part, 1, part.iov_len);
  }
  return size;
}

}  // namespace

extern "C" {

CAIRN_EXPORT ssize_t read(int fd, void* buffer, size_t size) {
  return named(fd, buffer, plugin::receive(host, fd, [=] { return next_read.get()(fd, buffer, size); }));
}

// What programs built with -D_FORTIFY_SOURCE call.
CAIRN_EXPORT ssize_t __read_chk(int fd, void* buffer, size_t size, size_t room) {
  return named(fd, buffer, plugin::receive(host, fd, [=] { return next_read_chk.get()(fd, buffer, size, room); }));
}

CAIRN_EXPORT ssize_t readv(int fd, const struct iovec* parts, int count) {
  ssize_t size = plugin::receive(host, fd, [=] { return next_readv.get()(fd, parts, count); });
  if (may_be_records(size)) name_senders(fd, parts, count, static_cast<size_t>(size));
  return size;
}

}  // extern "C"

}  // namespace cairn::pid
