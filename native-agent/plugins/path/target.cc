// See target.h.
#include "target.h"

#include <errno.h>
#include <sys/stat.h>

#include "copy_up.h"
#include "proc.h"
#include "state.h"

namespace cairn::path {

int Target::use_real() {
  dirfd = AT_FDCWD;
  touched_ = true;
  if (walk_.folder && found_.real.length != 0 && !found_.real.append("/", 1)) return -ENAMETOOLONG;
  path = real();
  return 0;
}

void Target::use_copy(int fd) {
  close_copy();
  copy_ = fd;
  found_.real.clear();
  if (!found_.real.append("/proc/thread-self/fd/", 21) || !found_.real.append_number(static_cast<uint64_t>(fd))) return;
  dirfd = AT_FDCWD;
  touched_ = true;
  path = found_.real.text;
}

void Target::close_copy() {
  if (copy_ >= 0) (void)sys(SYS_close, copy_);
  copy_ = -1;
}

int Target::resolve(int folder, const char *given, bool follow) {
  dirfd = folder;
  path = given;
  touched_ = false;
  switch (walk(folder, given, follow, walk_, found_)) {
    case Walked::kUntouched:
      return 0;
    case Walked::kError:
      return walk_.error;
    case Walked::kProc: {
      proc_ = true;
      if (follow && is_own_executable(walk_.path.text)) {
        if (!walk_.path.assign(state.executable, strlen(state.executable)) || locate(walk_.path, found_) != 0)
          return -ENAMETOOLONG;
        return use_real();
      }
      if (!proc_ids_to_real(walk_.path, found_.real)) return -ENAMETOOLONG;
      if (!walk_.crossed && found_.real.equals(walk_.path.text, walk_.path.length)) return 0;
      dirfd = AT_FDCWD;
      touched_ = true;
      path = found_.real.text;  // with the slash that it ends in
      return 0;
    }
    case Walked::kPath:
      break;
  }
  if (!walk_.located)
    if (int error = locate(walk_.path, found_)) return error;
  where_ = found_.where;
  if (where_ == Where::kAbsent && found_.error == -ENOTDIR) return -ENOTDIR;
  bool same = found_.real.equals(walk_.path.text, walk_.path.length);
  if (where_ == Where::kNone && same && !walk_.crossed) return 0;
  if (where_ == Where::kLower && same && !walk_.crossed) return 0;
  return use_real();
}

bool Target::is_plain_file() const {
  return !touched_ && !proc_ && !walk_.linked && (where_ == Where::kNone || where_ == Where::kLower) && found_.error == 0 && S_ISREG(found_.mode);
}

int Target::look(int folder, const char *given, bool follow) { return resolve(folder, given, follow); }

int Target::look_folder(int folder, const char *given) {
  if (int error = resolve(folder, given, true)) return error;
  if (where_ != Where::kTop && where_ != Where::kLower) return 0;
  if (found_.error != 0 || !S_ISDIR(found_.mode)) return 0;
  PathText lower;
  struct statx status;
  int32_t layer = found_.layer;
  bool lowered = false;
  while (next_layer(walk_.path, layer)) {
    if (layer_path(layer, walk_.path, lower) != 0) break;
    int error = stat_path(lower.length != 0 ? lower.text : "/", true, status);
    if (error == -ENOENT) continue;
    if (error != 0 || !S_ISDIR(status.stx_mode)) break;
    if (!found_.real.assign(lower)) break;
    lowered = true;
  }
  return lowered ? use_real() : 0;
}

int Target::raise(bool follow, bool truncate) {
  if (where_ != Where::kLower || found_.error != 0) return 0;
  struct statx status;
  if (stat_path(real(), follow, status) != 0) return 0;  // a link to nowhere: the kernel says so
  uint32_t kind = status.stx_mode & S_IFMT;
  if (kind == S_IFCHR || kind == S_IFBLK || kind == S_IFSOCK) return 0;  // there is only one of them
  if (int error = copy_up(walk_.path, real(), status, truncate)) return error;
  if (int error = layer_path(top_layer(walk_.path), walk_.path, found_.real)) return error;
  found_.where = where_ = Where::kTop;
  found_.layer = top_layer(walk_.path);
  found_.mode = status.stx_mode;
  return use_real();
}

int Target::raise_tree() {
  if (!overlaid()) return 0;
  if (int error = copy_tree(walk_.path)) return error;
  if (int error = locate_overlay(walk_.path, found_)) return error;
  where_ = found_.where;
  return where_ == Where::kTop ? use_real() : -EXDEV;
}

int Target::replace() {
  if (where_ != Where::kAbsent && where_ != Where::kLower) return 0;
  if (int error = make_parents(walk_.path)) return error;
  if (int error = layer_path(top_layer(walk_.path), walk_.path, found_.real)) return error;
  return use_real();
}

int Target::change(int folder, const char *given, bool follow, bool truncate) {
  if (int error = resolve(folder, given, follow)) return error;
  return raise(follow, truncate);
}

int Target::create(int folder, const char *given) {
  if (int error = resolve(folder, given, false)) return error;
  if (where_ != Where::kAbsent) return 0;
  return make_parents(walk_.path);
}

int Target::open(int folder, const char *given, int flags) {
  bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  bool follow = (flags & O_NOFOLLOW) == 0 && !exclusive;
  if (int error = resolve(folder, given, follow)) return error;
  if ((flags & O_PATH) != 0) return 0;
  if (proc_ && (flags & (O_ACCMODE | O_DIRECTORY | O_NOFOLLOW)) == O_RDONLY) {
    int copy = translated_copy(found_.real.text);
    if (copy >= 0) use_copy(copy);
    return 0;
  }
  if ((flags & O_TMPFILE) == O_TMPFILE) return raise(true, false);
  if (where_ == Where::kAbsent) return (flags & O_CREAT) != 0 ? make_parents(walk_.path) : 0;
  bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
  if (exclusive || where_ != Where::kLower) return 0;
  struct statx status;
  // Also for reading: two runs of one snapshot must not meet in it.
  if (found_.error == 0 && S_ISFIFO(found_.mode)) return raise(follow, false);
  if (!writes) return 0;
  if ((flags & O_DIRECTORY) != 0 || stat_path(real(), follow, status) != 0 || !S_ISREG(status.stx_mode)) return 0;
  return raise(follow, (flags & O_TRUNC) != 0);
}

int Target::remove(int folder, const char *given, bool is_folder) {
  if (int error = resolve(folder, given, false)) return error;
  if (where_ != Where::kTop && where_ != Where::kLower) return 0;
  if (found_.error != 0) return 0;
  if (!is_folder) {
    if (where_ == Where::kTop) return 0;
    if (S_ISDIR(found_.mode)) return -EISDIR;
  } else {
    if (!S_ISDIR(found_.mode)) return -ENOTDIR;
    if (holds_rule_root(walk_.path)) return -EBUSY;
    if (int error = has_lower_entries(walk_.path)) return error < 0 ? error : -ENOTEMPTY;
    if (where_ == Where::kTop) return 0;
  }
  int error = hide(walk_.path);
  return error != 0 ? error : 1;
}

void Target::removed() {
  if (where_ != Where::kTop && where_ != Where::kFile) return;
  Found below;
  if (locate_overlay(walk_.path, below) == 0 && below.where == Where::kLower) (void)hide(walk_.path);
}

}  // namespace cairn::path
