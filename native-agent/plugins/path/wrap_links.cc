// Interposes on readlink and realpath, whose results are paths: virtual ones, and for the links in /proc/self what they were
// for the program at its start.
#include "wrap.h"

#include <stdlib.h>
#include <unistd.h>

#include "proc.h"

using namespace cairn::path;

namespace {

/// For a link in /proc whose content has to be translated: its length, cut to size as readlink does. -1: it is not such a link.
ssize_t translated(Target &target, char *buffer, size_t size) {
  if (!target.proc() || !is_translated_link(target.virtual_path().text)) return -1;
  PathText real, shown;
  long length = sys(SYS_readlinkat, target.dirfd, target.path, real.text, PathText::size - 1);
  if (length < 0) return -1;
  real.cut(static_cast<size_t>(length));
  if (link_to_virtual(target.virtual_path().text, real, shown) != 0) return -1;
  size_t count = shown.length < size ? shown.length : size;
  memcpy(buffer, shown.text, count);
  return static_cast<ssize_t>(count);
}

/// libc's realpath on the real path, its result as a virtual one. `resolved` has PATH_MAX bytes or is null.
template <typename Call>
char *resolve(const char *path, char *resolved, Call call) {
  Target target;
  if (failed(target.look(AT_FDCWD, path, true))) return nullptr;
  PathText real, shown;
  if (call(target.path, real.text) == nullptr) return nullptr;
  real.cut(strlen(real.text));
  bool crossed = false;
  int error = is_below(real.text, real.length, "/proc", 5) ? proc_to_virtual(real, shown, crossed)
                                                           : to_virtual(real.text, real.length, shown);
  if (failed(error)) return nullptr;
  if (resolved == nullptr) return strdup(shown.text);
  memcpy(resolved, shown.text, shown.length + 1u);
  return resolved;
}

}  // namespace

WRAP(ssize_t, readlink, const char *path, char *buffer, size_t size) {
  if (inactive()) return NEXT(readlink)(path, buffer, size);
  Target target;
  if (failed(target.look(AT_FDCWD, path, false))) return -1;
  ssize_t length = size != 0 ? translated(target, buffer, size) : -1;
  return length >= 0 ? length : NEXT(readlink)(target.path, buffer, size);
}

WRAP(ssize_t, readlinkat, int folder, const char *path, char *buffer, size_t size) {
  if (inactive()) return NEXT(readlinkat)(folder, path, buffer, size);
  Target target;
  if (failed(target.look(folder, path, false))) return -1;
  ssize_t length = size != 0 ? translated(target, buffer, size) : -1;
  return length >= 0 ? length : NEXT(readlinkat)(target.dirfd, target.path, buffer, size);
}

// The checked variants: libc's ends the program where the buffer is too small.
WRAP(ssize_t, __readlink_chk, const char *path, char *buffer, size_t size, size_t room) {
  if (inactive() || room < size) return NEXT(__readlink_chk)(path, buffer, size, room);
  return cairn_wrap_readlink(path, buffer, size);
}

WRAP(ssize_t, __readlinkat_chk, int folder, const char *path, char *buffer, size_t size, size_t room) {
  if (inactive() || room < size) return NEXT(__readlinkat_chk)(folder, path, buffer, size, room);
  return cairn_wrap_readlinkat(folder, path, buffer, size);
}

WRAP(char *, realpath, const char *path, char *resolved) {
  if (inactive() || path == nullptr) return NEXT(realpath)(path, resolved);
  return resolve(path, resolved, [](const char *real, char *buffer) { return NEXT(realpath)(real, buffer); });
}

WRAP(char *, __realpath_chk, const char *path, char *resolved, size_t room) {
  if (inactive() || path == nullptr || room < PATH_MAX) return NEXT(__realpath_chk)(path, resolved, room);
  return cairn_wrap_realpath(path, resolved);
}

WRAP(char *, canonicalize_file_name, const char *path) {
  if (inactive() || path == nullptr) return NEXT(canonicalize_file_name)(path);
  return cairn_wrap_realpath(path, nullptr);
}
