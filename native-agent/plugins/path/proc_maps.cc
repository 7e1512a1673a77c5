#include "proc_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/lines.h"
#include "common/nameless.h"
#include "common/text.h"
#include "locate.h"
#include "state.h"

namespace cairn::path {
namespace {

constexpr size_t kCapacity = size_t{256} << 20;  // reserved only

bool ends_with(const char *text, size_t length, const char *end) {
  size_t size = strlen(end);
  return length >= size && memcmp(text + length - size, end, size) == 0;
}

/// The pages of an image: "…/p<pid>.pages".
bool is_pages(const char *path, size_t length) {
  if (!ends_with(path, length, ".pages")) return false;
  size_t at = length - 6;
  while (at > 0 && path[at - 1] >= '0' && path[at - 1] <= '9') --at;
  return at > 1 && path[at - 1] == 'p' && path[at - 2] == '/' && at < length - 6;
}

class Copy {
 public:
  Copy(char *text, size_t capacity) : text_(text), capacity_(capacity) {}

  void add(const char *bytes, size_t count) {
    if (size_ + count > capacity_) return;
    memcpy(text_ + size_, bytes, count);
    size_ += count;
  }

  /// A line without its end. "start-end access offset device inode   path"
  void add_line(const char *line, size_t length) {
    const char *path = path_of(line, length);
    if (path == nullptr) {
      add(line, length);
    } else {
      size_t path_length = static_cast<size_t>(line + length - path);
      bool deleted = ends_with(path, path_length, " (deleted)");
      if (deleted) path_length -= 10;
      PathText shown;
      if (is_pages(path, path_length)) {
        add_anonymous(line);
      } else {
        add(line, static_cast<size_t>(path - line));
        if (to_virtual(path, path_length, shown) == 0) add(shown.text, shown.length);
        else add(path, path_length);
        if (deleted) add(" (deleted)", 10);
      }
    }
    add("\n", 1);
  }

  [[nodiscard]] size_t size() const { return size_; }

 private:
  /// Where the path begins; null: this line has none.
  static const char *path_of(const char *line, size_t length) {
    const char *at = line, *end = line + length;
    while (at < end && ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'))) ++at;
    if (at == line || at == end || *at != '-') return nullptr;
    for (unsigned field = 0; field < 5; ++field) {
      while (at < end && *at != ' ') ++at;
      while (at < end && *at == ' ') ++at;
    }
    return at < end && *at == '/' ? at : nullptr;
  }

  /// "start-end access ", then as the kernel has it without a file.
  void add_anonymous(const char *line) {
    const char *end = strchr(line, ' ');
    end = end != nullptr ? strchr(end + 1, ' ') : nullptr;
    if (end == nullptr) return;
    add(line, static_cast<size_t>(end - line));
    add(" 00000000 00:00 0 ", 18);
  }

  char *text_;
  size_t capacity_;
  size_t size_ = 0;
};

long read_all(const char *path, char *text, size_t capacity) {
  long fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  size_t size = 0;
  long count;
  while ((count = sys(SYS_read, fd, text + size, capacity - size)) > 0 || count == -EINTR)
    if (count > 0) size += static_cast<size_t>(count);
  sys(SYS_close, fd);
  return count < 0 ? count : static_cast<long>(size);
}

}  // namespace

bool is_memory_map(const char *real) {
  size_t length = strlen(real);
  return strncmp(real, "/proc/", 6) == 0 && (ends_with(real, length, "/maps") || ends_with(real, length, "/smaps"));
}

int32_t memory_map_copy(const char *real) {
  if (!state.restarted) return -ENOENT;
  long memory = sys(SYS_mmap, 0, kCapacity * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (memory < 0 && memory > -4096) return static_cast<int32_t>(memory);
  char *text = reinterpret_cast<char *>(memory);
  long size = read_all(real, text, kCapacity);
  Copy copy(text + kCapacity, kCapacity);
  for (long at = 0; at < size;) {
    const char *end = static_cast<const char *>(memchr(text + at, '\n', static_cast<size_t>(size - at)));
    long stop = end != nullptr ? end - text : size;
    copy.add_line(text + at, static_cast<size_t>(stop - at));
    at = stop + 1;
  }
  long fd = size < 0 ? size : plugin::nameless_copy(state.host, text + kCapacity, copy.size());
  sys(SYS_munmap, memory, kCapacity * 2);
  return static_cast<int32_t>(fd);
}

}  // namespace cairn::path
