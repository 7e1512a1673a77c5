// A path in a block of scratch memory, or in one of its owner's. Callable in every context. A function that would overflow it changes
// nothing and returns false; the caller answers -ENAMETOOLONG.
#pragma once
#ifdef _FORTIFY_SOURCE
#undef _FORTIFY_SOURCE
#endif
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scratch.h"

namespace cairn::path {

struct PathText {
  static constexpr size_t size = kScratchSize;
  uint32_t length = 0;
  char *const text;

  PathText() : text(take_scratch()), lent_(true) { text[0] = 0; }
  explicit PathText(char (&own)[size]) : text(own), lent_(false) { text[0] = 0; }
  ~PathText() {
    if (lent_) give_scratch(text);
  }
  PathText(const PathText &) = delete;
  PathText &operator=(const PathText &) = delete;

  void clear() { cut(0); }
  void cut(size_t new_length) {
    length = static_cast<uint32_t>(new_length);
    text[length] = 0;
  }
  [[nodiscard]] bool append(const char *bytes, size_t count) {
    if (count >= size - length) return false;
    memmove(text + length, bytes, count);
    cut(length + count);
    return true;
  }
  [[nodiscard]] bool append(const char *string) { return append(string, strlen(string)); }
  [[nodiscard]] bool assign(const char *bytes, size_t count) {
    if (count >= size) return false;
    memmove(text, bytes, count);
    cut(count);
    return true;
  }
  [[nodiscard]] bool assign(const char *string) { return assign(string, strlen(string)); }
  [[nodiscard]] bool assign(const PathText &other) { return assign(other.text, other.length); }
  /// Adds "/name"; the root is the empty text while a path is being built.
  [[nodiscard]] bool append_component(const char *name, size_t count) {
    if (count + 1 >= size - length) return false;
    text[length] = '/';
    memmove(text + length + 1, name, count);
    cut(length + 1 + count);
    return true;
  }
  [[nodiscard]] bool append_number(uint64_t value) {
    char digits[20];
    size_t count = 0;
    do {
      digits[sizeof digits - ++count] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    return append(digits + sizeof digits - count, count);
  }
  /// Removes the last component; the root stays.
  void pop() {
    size_t end = length;
    while (end > 0 && text[end - 1] != '/') --end;
    cut(end > 0 ? end - 1 : 0);
  }
  [[nodiscard]] bool equals(const char *bytes, size_t count) const {
    return length == count && memcmp(text, bytes, count) == 0;
  }
  [[nodiscard]] bool equals(const char *string) const { return equals(string, strlen(string)); }

 private:
  bool lent_;
};

/// Whether `path` is `folder` or lies below it, by whole components. "" and "/" are the root.
inline bool is_below(const char *path, size_t length, const char *folder, size_t folder_length) {
  if (folder_length == 1 && folder[0] == '/') folder_length = 0;
  return length >= folder_length && memcmp(path, folder, folder_length) == 0 &&
         (path[folder_length] == 0 || path[folder_length] == '/' || length == folder_length);
}

/// Whether a text has a component "..".
inline bool has_parent_component(const char *path) {
  while (*path != 0) {
    while (*path == '/') ++path;
    const char *end = path;
    while (*end != 0 && *end != '/') ++end;
    if (end - path == 2 && path[0] == '.' && path[1] == '.') return true;
    path = end;
  }
  return false;
}

}  // namespace cairn::path
