// Owns: text and small files for the built-in plugins without libc: usable while the application is stopped, no allocation.
// A text that does not fit is cut, never overrun; it always ends with a zero.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"

namespace cairn::plugin {

inline size_t length_of(const char* text) {
  size_t length = 0;
  while (text[length] != 0) ++length;
  return length;
}

inline bool same(const char* one, const char* two) {
  size_t at = 0;
  while (one[at] != 0 && one[at] == two[at]) ++at;
  return one[at] == two[at];
}

/// True if `text` begins with `prefix`; *rest is then what follows it.
inline bool begins(const char* text, const char* prefix, const char** rest) {
  while (*prefix != 0) {
    if (*text++ != *prefix++) return false;
  }
  *rest = text;
  return true;
}

/// Reads a number in base 10, 8 or 16 and moves *text behind it; false if there is no digit.
inline bool read_number(const char** text, unsigned base, int64_t* value) {
  const char* at = *text;
  bool negative = *at == '-';
  if (negative) ++at;
  uint64_t result = 0;
  const char* first = at;
  for (;; ++at) {
    unsigned digit;
    if (*at >= '0' && *at <= '9') digit = static_cast<unsigned>(*at - '0');
    else if (*at >= 'a' && *at <= 'f') digit = static_cast<unsigned>(*at - 'a' + 10);
    else break;
    if (digit >= base) break;
    result = result * base + digit;
  }
  if (at == first) return false;
  *text = at;
  *value = static_cast<int64_t>(negative ? ~result + 1 : result);
  return true;
}

/// The text behind "NAME" at the beginning of one of the lines of `lines`, blanks skipped; NULL if no line begins so.
inline const char* line_value(const char* lines, const char* name) {
  for (const char* line = lines; *line != 0;) {
    const char* rest;
    if (begins(line, name, &rest)) {
      while (*rest == ' ' || *rest == '\t') ++rest;
      return rest;
    }
    while (*line != 0 && *line != '\n') ++line;
    if (*line == '\n') ++line;
  }
  return nullptr;
}

/// An option of the session (CAIRN_SETTING_OPTION); NULL: it was not given.
inline const char* option(const cairn_host* host, const char* name) {
  const char* value = nullptr;
  for (uint32_t i = 0; const char* key = host->setting(CAIRN_SETTING_OPTION, i, &value); ++i) {
    if (same(key, name)) return value;
  }
  return nullptr;
}

/// The working folder that is overlaid by the run folder, for all processes: where it is known to one of them alone, its `own`, which is ""
/// where that was removed.
inline const char* common_folder(const cairn_host* host, const char* own) {
  const char* common = option(host, "folder");
  if (common != nullptr) return common;
  return own[0] != 0 ? own : option(host, "folder.else");
}

/// Whether this is the first process of a restarted computation; a coordinator that does not say so knows of one process only.
inline bool is_root(const cairn_host* host) {
  const char* value = option(host, "root");
  int64_t root = 0;
  return value == nullptr || (read_number(&value, 10, &root) && root == host->virtual_pid());
}

template <size_t Capacity>
class Text {
 public:
  Text& add(const char* text) {
    while (*text != 0 && size_ + 1 < Capacity) data_[size_++] = *text++;
    data_[size_] = 0;
    return *this;
  }
  Text& add(int64_t value) {
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = 0;
    uint64_t rest = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
    do {
      digits[--at] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (value < 0) digits[--at] = '-';
    return add(&digits[at]);
  }
  [[nodiscard]] const char* text() const { return data_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  char data_[Capacity] = {};
  size_t size_ = 0;
};

/// [any] host->aside for anything that can be called.
template <typename Job>
inline void aside(const cairn_host* host, Job job) {
  host->aside([](void* context) { (*static_cast<Job*>(context))(); }, &job);
}

/// Reads a small file whole, zero-terminated: its length or -errno.
inline long read_file(const cairn_host* host, const char* path, char* buffer, size_t capacity) {
  long fd = host->syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return fd;
  size_t size = 0;
  long count = 0;
  while (size + 1 < capacity) {
    count = host->syscall(SYS_read, fd, reinterpret_cast<long>(buffer + size), static_cast<long>(capacity - 1 - size), 0, 0, 0);
    if (count == -EINTR) continue;
    if (count <= 0) break;
    size += static_cast<size_t>(count);
  }
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  buffer[size] = 0;
  if (count < 0) return count;
  return size + 1 < capacity ? static_cast<long>(size) : -EFBIG;
}

/// What getdents64(2) gives.
struct KernelDirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

/// Calls visit(folder's descriptor, entry) for what is in a folder, until it returns true. 0 or -errno: the folder cannot be opened.
template <typename Visit>
inline long for_each_entry(const cairn_host* host, const char* path, Visit visit) {
  long folder = host->syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
  if (folder < 0) return folder;
  alignas(8) char buffer[4096];
  bool enough = false;
  long size = 0;
  while (!enough && (size = host->syscall(SYS_getdents64, folder, reinterpret_cast<long>(buffer), sizeof buffer, 0, 0, 0)) > 0) {
    for (long at = 0; at < size && !enough;) {
      auto* entry = reinterpret_cast<const KernelDirent*>(buffer + at);
      at += entry->length;
      enough = visit(folder, *entry);
    }
  }
  host->syscall(SYS_close, folder, 0, 0, 0, 0, 0);
  return 0;
}

/// Writes a text in one call, as files of /proc want it: 0 or -errno.
inline long write_file(const cairn_host* host, const char* path, const char* text) {
  long fd = host->syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), O_WRONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return fd;
  long count = host->syscall(SYS_write, fd, reinterpret_cast<long>(text), static_cast<long>(length_of(text)), 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  return count < 0 ? count : 0;
}

}  // namespace cairn::plugin
