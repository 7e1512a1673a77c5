// Files and folders by raw system calls. Callable in every context; no allocation.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/error.h"
#include "sys/syscall.h"
#include "sys/text.h"

namespace cairn::sys {

/// Owns a file descriptor of ours.
class [[nodiscard]] UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(long fd) : fd_(static_cast<int>(fd)) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(-1); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }
  /// The -errno that open gave, while !ok().
  [[nodiscard]] Status status() const { return fd_ < 0 ? fd_ : 0; }
  int release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd) {
    if (fd_ >= 0) call_unchecked(SYS_close, fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

inline UniqueFd open(const char* path, int flags, unsigned mode = 0) {
  return UniqueFd(call(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_LARGEFILE, mode));
}

/// Reads a whole file (of /proc as well) into `buffer`; returns the bytes read or -errno; -EFBIG if it does not fit.
inline long read_all(const char* path, char* buffer, size_t capacity) {
  UniqueFd fd = open(path, O_RDONLY);
  if (!fd.ok()) return fd.status();
  size_t size = 0;
  while (size < capacity) {
    long count = call(SYS_read, fd.get(), buffer + size, capacity - size);
    if (count == -EINTR) continue;
    if (failed(count)) return count;
    if (count == 0) return static_cast<long>(size);
    size += static_cast<size_t>(count);
  }
  return -EFBIG;
}

/// All of it or -errno.
inline Status write_all(int fd, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    long count = call(SYS_write, fd, bytes, size);
    if (count == -EINTR) continue;
    if (failed(count)) return static_cast<Status>(count);
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return 0;
}

inline Status write_at(int fd, const void* data, size_t size, uint64_t offset) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    long count = call(SYS_pwrite64, fd, bytes, size, offset);
    if (count == -EINTR) continue;
    if (failed(count)) return static_cast<Status>(count);
    bytes += count;
    offset += static_cast<uint64_t>(count);
    size -= static_cast<size_t>(count);
  }
  return 0;
}

/// Part of a file.
struct Extent {
  uint64_t start;
  uint64_t end;
};

/// The next part of a file's first `length` bytes, at or behind `from`, that is no hole; false: there is none. A file system that
/// does not tell has one part. Moves the descriptor's offset.
inline bool next_data(int fd, uint64_t from, uint64_t length, Extent* extent) {
  if (from >= length) return false;
  int64_t start = call(SYS_lseek, fd, from, SEEK_DATA);
  if (start == -ENXIO) return false;
  if (failed(start)) {
    *extent = {from, length};
    return true;
  }
  int64_t end = call(SYS_lseek, fd, start, SEEK_HOLE);
  *extent = {static_cast<uint64_t>(start), failed(end) || static_cast<uint64_t>(end) > length ? length : static_cast<uint64_t>(end)};
  return extent->start < length;
}

/// All of it, or -errno; -ENODATA when the file ends before.
inline Status read_at(int fd, void* data, size_t size, uint64_t offset) {
  char* bytes = static_cast<char*>(data);
  while (size > 0) {
    long count = call(SYS_pread64, fd, bytes, size, offset);
    if (count == -EINTR) continue;
    if (failed(count)) return static_cast<Status>(count);
    if (count == 0) return -ENODATA;
    bytes += count;
    offset += static_cast<uint64_t>(count);
    size -= static_cast<size_t>(count);
  }
  return 0;
}

inline long read_link(const char* path, char* buffer, size_t capacity) {
  long count = call(SYS_readlink, path, buffer, capacity - 1);
  buffer[failed(count) ? 0 : count] = 0;
  return count;
}

struct KernelDirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

/// Calls `visit(name)` for each entry but "." and ".."; stops early when it returns false. 0 or -errno.
template <typename Visit>
Status for_each_entry(const char* path, Visit visit) {
  UniqueFd fd = open(path, O_RDONLY | O_DIRECTORY);
  if (!fd.ok()) return fd.status();
  alignas(8) char buffer[2048];
  for (;;) {
    long count = call(SYS_getdents64, fd.get(), buffer, sizeof buffer);
    if (count <= 0) return static_cast<Status>(count);
    for (long at = 0; at < count;) {
      auto* entry = reinterpret_cast<KernelDirent*>(buffer + at);
      at += entry->length;
      Text name(entry->name);
      if (name == Text(".") || name == Text("..")) continue;
      if (!visit(name)) return 0;
    }
  }
}

}  // namespace cairn::sys
