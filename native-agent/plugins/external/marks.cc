// Which descriptors a plugin has marked: by shared names, so that all processes know it whatever way they came to the descriptor (fork,
// exec, passed over a socket). Known by device and inode: a socket or pipe has its own. [any]
#include "external/external.h"

namespace cairn::external {
namespace {

// A name is in pieces of seven bytes, so that none is a negative number; the last one has room for its end.
constexpr uint32_t piece = 7, pieces = (name_size + piece - 1) / piece;
constexpr uint32_t space = plugin::name_space("external.marks");

/// The keys of one mark are next to each other.
int64_t key_of(const struct stat64& status) { return plugin::file_key(status.st_dev, status.st_ino) * 8; }

int32_t look(int32_t fd, struct stat64* status) {
  if (long error = sys(SYS_fstat, fd, pointer(status)); error < 0) return static_cast<int32_t>(error);
  bool can_be = S_ISSOCK(status->st_mode) || S_ISFIFO(status->st_mode) || S_ISCHR(status->st_mode);
  return can_be ? 0 : -EINVAL;
}

}  // namespace

int32_t mark(int32_t fd, const char* name) {
  struct stat64 status = {};
  if (int32_t error = look(fd, &status); error < 0) return error;
  uint64_t length = plugin::length_of(name);
  if (length == 0) return -EINVAL;
  if (length >= name_size) return -ENAMETOOLONG;
  // The first piece last: who finds it finds all.
  for (uint32_t i = pieces; i-- > 0;) {
    int64_t value = 0;
    for (uint32_t at = piece; at-- > 0;) {
      uint64_t place = uint64_t{i} * piece + at;
      value = value << 8 | (place < length ? static_cast<unsigned char>(name[place]) : 0);
    }
    if (int32_t error = host->set_name(space, key_of(status) + i, value); error < 0) return error;
  }
  return 0;
}

int32_t unmark(int32_t fd) {
  struct stat64 status = {};
  if (int32_t error = look(fd, &status); error < 0) return error;
  int32_t result = host->remove_name(space, key_of(status));
  for (uint32_t i = 1; i < pieces; ++i) host->remove_name(space, key_of(status) + i);
  return result;
}

int32_t marked(int32_t fd, char* name, uint32_t capacity) {
  struct stat64 status = {};
  if (look(fd, &status) < 0) return -ENOENT;
  char text[pieces * piece + 1] = {};
  for (uint32_t i = 0; i < pieces; ++i) {
    int64_t value = 0;
    if (host->get_name(space, key_of(status) + i, &value) < 0) return -ENOENT;
    for (uint32_t at = 0; at < piece; ++at) text[i * piece + at] = static_cast<char>(value >> (8 * at));
  }
  uint64_t length = plugin::length_of(text);
  if (length >= capacity) return -ENAMETOOLONG;
  for (uint64_t i = 0; i <= length; ++i) name[i] = text[i];
  return static_cast<int32_t>(length);
}

}  // namespace cairn::external
