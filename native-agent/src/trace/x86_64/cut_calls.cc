#include "trace/cut_calls.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "sys/file.h"
#include "sys/syscall.h"

extern "C" void cairn_rest_of_call();

// rax: done so far, rcx: where to return to, r11: number of the call; the others as for the call. The red zone is left alone; the function
// uses general registers only.
asm(R"(
.pushsection .text
.hidden cairn_rest_of_call
.type cairn_rest_of_call, @function
cairn_rest_of_call:
    lea -128(%rsp), %rsp
    pushfq
    push %rcx
    push %rbp
    mov %rsp, %rbp
    push %r9
    push %r8
    push %r10
    push %rdx
    push %rsi
    push %rdi
    mov %r11, %rdi
    mov %rsp, %rsi
    mov %rax, %rdx
    and $-16, %rsp
    cld
    call cairn_make_rest_of_call
    lea -48(%rbp), %rsp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r10
    pop %r8
    pop %r9
    pop %rbp
    pop %rcx
    popfq
    lea 128(%rsp), %rsp
    jmp *%rcx
.size cairn_rest_of_call, . - cairn_rest_of_call
.popsection
)");

namespace cairn::trace {
namespace {

struct Parts {
  const struct iovec* list;
  uint64_t count;
  struct iovec one;  // of a call with one buffer
};

/// Where the call's bytes are; flags: of send and recv, else 0. False: no call of these kinds.
bool parts_of(long number, const uint64_t* arguments, Parts* parts, uint64_t* flags) {
  parts->one = {reinterpret_cast<void*>(arguments[1]), arguments[2]};
  parts->list = &parts->one;
  parts->count = 1;
  *flags = 0;
  switch (number) {
    case SYS_write: return true;
    case SYS_sendto:
    case SYS_recvfrom:
      *flags = arguments[3];
      return true;
    case SYS_writev:
      parts->list = reinterpret_cast<const struct iovec*>(arguments[1]);
      parts->count = arguments[2];
      return true;
    case SYS_sendmsg: {
      struct msghdr header;
      if (!sys::processor::peek(arguments[1], &header, sizeof header)) return false;
      parts->list = header.msg_iov;
      parts->count = header.msg_iovlen;
      *flags = arguments[2];
      return true;
    }
    default: return false;
  }
}

/// The sum of the parts' lengths; 0 where they are not there (any more: the kernel has a copy of its own).
uint64_t length_of(const Parts& parts) {
  if (parts.list == &parts.one) return parts.one.iov_len;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < parts.count; ++i) {
    struct iovec part;
    if (!sys::processor::peek(reinterpret_cast<uintptr_t>(&parts.list[i]), &part, sizeof part)) return 0;
    sum += part.iov_len;
  }
  return sum;
}

bool is_terminal(const struct stat64& status) {
  uint64_t kind = status.st_rdev >> 8 & 0xfff;
  return S_ISCHR(status.st_mode) && (kind == 4 || kind == 5 || (kind >= 136 && kind <= 143));
}

/// The number of a line "NAME:  NUMBER" of a file of /proc.
bool number_of(const char* path, const char* name, unsigned base, uint64_t* number) {
  char text[4096];
  long size = sys::read_all(path, text, sizeof text);
  sys::TextReader reader(sys::Text(text, size > 0 ? static_cast<size_t>(size) : 0));
  while (!reader.done()) {
    sys::TextReader line(reader.until('\n'));
    if (!(line.until(':') == sys::Text(name))) continue;
    line.skip_spaces();
    return line.number(number, base);
  }
  return false;
}

/// A signal waits that the thread takes at once: what it has written by then is what the call gives.
bool has_signal(int32_t process, int32_t tid) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process).add("/task/").number(tid).add("/status");
  uint64_t own = 0, shared = 0, blocked = 0;
  (void)number_of(path.c_str(), "SigPnd", 16, &own);
  (void)number_of(path.c_str(), "ShdPnd", 16, &shared);
  (void)number_of(path.c_str(), "SigBlk", 16, &blocked);
  return ((own | shared) & ~blocked) != 0;
}

/// A pipe, terminal or socket that is not O_NONBLOCK.
bool waits(int32_t process, uint64_t fd) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process).add("/fd/").unsigned_number(fd);
  struct stat64 status;
  if (sys::failed(sys::call(SYS_stat, path.c_str(), &status))) return false;
  if (!S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode) && !is_terminal(status)) return false;
  sys::TextBuffer<64> info;
  info.add("/proc/").number(process).add("/fdinfo/").unsigned_number(fd);
  uint64_t flags = 0;
  return number_of(info.c_str(), "flags", 8, &flags) && (flags & O_NONBLOCK) == 0;
}

}  // namespace

bool continue_cut_call(int32_t process, int32_t tid, sys::processor::Registers* registers) {
  long number = sys::processor::call_number(*registers);
  auto done = static_cast<int64_t>(registers->rax);
  if (number < 0 || done <= 0) return false;
  const uint64_t arguments[] = {registers->rdi, registers->rsi, registers->rdx, registers->r10};
  Parts parts;
  uint64_t flags = 0;
  if (!parts_of(number, arguments, &parts, &flags)) return false;
  if ((flags & (MSG_DONTWAIT | MSG_PEEK | MSG_OOB | MSG_TRUNC | MSG_ERRQUEUE)) != 0) return false;
  if (number == SYS_recvfrom && (flags & MSG_WAITALL) == 0) return false;
  if (static_cast<uint64_t>(done) >= length_of(parts) || !waits(process, arguments[0]) || has_signal(process, tid)) return false;
  registers->rcx = registers->rip;
  registers->r11 = static_cast<uint64_t>(number);
  registers->rip = reinterpret_cast<uintptr_t>(cairn_rest_of_call);
  sys::processor::forget_call(registers);
  return true;
}

}  // namespace cairn::trace

/// [the stopped thread] The whole count: what ends the rest early (an error, the other end's close) shows at the next call, as it would
/// after the kernel's own short count.
extern "C" [[gnu::visibility("hidden"), gnu::used]] int64_t cairn_make_rest_of_call(long number, const uint64_t* arguments, int64_t done) {
  using namespace cairn::trace;
  Parts parts;
  uint64_t flags = 0;
  if (!parts_of(number, arguments, &parts, &flags)) return done;
  auto skip = static_cast<uint64_t>(done);
  bool gets = number == SYS_recvfrom, writes = number == SYS_write || number == SYS_writev;
  int32_t type = SOCK_STREAM;
  uint32_t size = sizeof type;
  // No socket: as it was.
  cairn::sys::call_unchecked(SYS_getsockopt, arguments[0], SOL_SOCKET, SO_TYPE, &type, &size);
  if (type != SOCK_STREAM) return done;
  for (uint64_t i = 0; i < parts.count; ++i) {
    uint64_t length = parts.list[i].iov_len;
    if (skip >= length) {
      skip -= length;
      continue;
    }
    for (uint64_t at = skip; at < length;) {
      long call = gets ? SYS_recvfrom : writes ? SYS_write : SYS_sendto;
      // Not the name of the other end, nor what went with the first bytes: this is a stream.
      int64_t count = cairn::sys::call(call, arguments[0], reinterpret_cast<uint64_t>(parts.list[i].iov_base) + at, length - at, flags, 0, 0);
      if (count <= 0) return done;
      done += count;
      // A stop does not end it early (it comes here once more): a signal did, or a time-out.
      if (static_cast<uint64_t>(count) < length - at) return done;
      at += static_cast<uint64_t>(count);
    }
    skip = 0;
  }
  return done;
}
