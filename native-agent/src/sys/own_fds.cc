#include "sys/own_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "sys/file.h"
#include "sys/syscall.h"

namespace cairn::sys {
namespace {

constexpr int capacity = 8192;
uint8_t own[capacity];       // by descriptor
uint8_t reserved[capacity];  // the application's, as the last checkpoint saw them

/// High, but not so high that the kernel's table of descriptors grows (each fork copies it).
int lowest_own_fd() {
  struct rlimit64 limit = {};
  if (failed(call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit))) return 64;
  uint64_t top = limit.rlim_cur < 1024 ? limit.rlim_cur : 1024;
  return top > 48 ? static_cast<int>(top - 24) : static_cast<int>(top / 2);
}

long move_out_of_the_way(int fd, int from) {
  for (;;) {
    long moved = call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, from);
    if (failed(moved) || moved >= capacity || reserved[moved] == 0) return moved;
    call_unchecked(SYS_close, static_cast<int>(moved));
    for (from = static_cast<int>(moved); from < capacity && reserved[from] != 0;) ++from;
  }
}

}  // namespace

int hide_fd(int fd) {
  long moved = move_out_of_the_way(fd, lowest_own_fd());
  // The application has all that is above.
  if (failed(moved) && fd < capacity && reserved[fd] != 0) moved = move_out_of_the_way(fd, 3);
  if (!failed(moved) && moved < capacity) {
    call_unchecked(SYS_close, fd);
    fd = static_cast<int>(moved);
  }
  if (fd >= 0 && fd < capacity) own[fd] = 1;
  return fd;
}

void close_own_fd(int fd) {
  if (fd < 0) return;
  if (fd < capacity) own[fd] = 0;
  call_unchecked(SYS_close, fd);
}

bool is_own_fd(int fd) { return fd >= 0 && fd < capacity && own[fd] != 0; }

int next_own_fd(unsigned from) {
  for (unsigned fd = from; fd < capacity; ++fd) {
    if (own[fd] != 0) return static_cast<int>(fd);
  }
  return -1;
}

int leave_number(int fd) {
  long moved = move_out_of_the_way(fd, lowest_own_fd());
  if (failed(moved)) moved = move_out_of_the_way(fd, 3);
  if (failed(moved)) return static_cast<int>(moved);
  if (moved >= capacity) {
    call_unchecked(SYS_close, static_cast<int>(moved));
    return -EMFILE;
  }
  own[moved] = 1;
  own[fd] = 0;
  return static_cast<int>(moved);
}

void take_number(int fd) { own[fd] = 1; }

void reserve_fds() {
  memset(reserved, 0, sizeof reserved);
  (void)for_each_entry("/proc/thread-self/fd", [](Text name) {
    uint64_t fd = 0;
    if (TextReader(name).number(&fd) && fd < capacity && own[fd] == 0) reserved[fd] = 1;
    return true;
  });
}

void forget_own_fds(bool close) {
  for (int fd = 0; fd < capacity; ++fd) {
    if (own[fd] == 0) continue;
    if (close) call_unchecked(SYS_close, fd);
    own[fd] = 0;
  }
}

}  // namespace cairn::sys
