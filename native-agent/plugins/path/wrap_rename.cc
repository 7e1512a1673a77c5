// Interposes on renaming. In the overlay both names end up in the run folder: what is in a lower layer is copied up, folders
// with all that is in them, and its old name is hidden. A mapped file that gets a name outside of the overlay stays where it
// really is, beside its old real name, and the new name is mapped to it: the file of an earlier run which has that name stays.
#include "wrap.h"

#include <stdio.h>

#include "copy_up.h"
#include "mapping.h"

using namespace cairn::path;

namespace {

/// The real path for a mapped file's new name: in the folder where it really is, and of no existing file.
int sibling(const Target &file, const PathText &new_name, PathText &real) {
  const char *base = strrchr(new_name.text, '/');
  struct statx status;
  for (unsigned attempt = 0; attempt < 1000; ++attempt) {
    if (!real.assign(file.real(), strlen(file.real()))) return -ENAMETOOLONG;
    real.pop();
    if (!real.append(base)) return -ENAMETOOLONG;
    if (attempt != 0 && (!real.append(".", 1) || !real.append_number(attempt))) return -ENAMETOOLONG;
    if (stat_path(real.text, false, status) == -ENOENT) return 0;
  }
  return -EEXIST;
}

/// What has to be true, and to be in the run folder, before the names change. 0 or -errno.
int prepare(Target &from, Target &to, unsigned flags) {
  if (from.where() == Where::kAbsent) return -ENOENT;
  if (!from.exists()) return 0;  // libc's function says why
  if (from.overlaid() && holds_rule_root(from.virtual_path())) return -EBUSY;
  if (to.overlaid() && to.exists() && holds_rule_root(to.virtual_path())) return -EBUSY;
  if ((flags & RENAME_NOREPLACE) != 0 && to.exists()) return -EEXIST;
  if ((flags & RENAME_EXCHANGE) != 0) {
    if (!to.exists()) return -ENOENT;
    if (int error = S_ISDIR(from.mode()) ? from.raise_tree() : from.raise(false, false)) return error;
    return S_ISDIR(to.mode()) ? to.raise_tree() : to.raise(false, false);
  }
  const PathText &old_name = from.virtual_path(), &new_name = to.virtual_path();
  if (is_below(old_name.text, old_name.length, new_name.text, new_name.length)) return -ENOTEMPTY;
  if (S_ISDIR(from.mode())) {
    if (is_below(new_name.text, new_name.length, old_name.text, old_name.length)) return -EINVAL;
    if (to.exists() && !S_ISDIR(to.mode())) return -ENOTDIR;
    if (to.exists() && to.overlaid())
      if (int error = has_lower_entries(to.virtual_path())) return error < 0 ? error : -ENOTEMPTY;
    if (int error = from.raise_tree()) return error;
  } else {
    if (to.exists() && S_ISDIR(to.mode())) return -EISDIR;
    if (int error = from.raise(false, false)) return error;
    if (from.where() == Where::kLower) return -EXDEV;  // a device, pipe or socket: mv then makes another one
  }
  return to.replace();
}

template <typename Call>
int rename_names(int from_folder, const char *from_path, int to_folder, const char *to_path, unsigned flags, Call call) {
  Target from, to;
  if (failed(from.look(from_folder, from_path, false)) || failed(to.look(to_folder, to_path, false))) return -1;
  bool ruled = from.overlaid() || to.overlaid() || from.where() == Where::kFile;
  if (!ruled || (flags & RENAME_WHITEOUT) != 0) return call(from.dirfd, from.path, to.dirfd, to.path);
  if (from.exists() && from.virtual_path().equals(to.virtual_path().text, to.virtual_path().length) && flags == 0) return 0;
  if (failed(prepare(from, to, flags))) return -1;
  if (from.where() == Where::kFile && from.exists() && !to.overlaid() && to.where() != Where::kFile && !to.proc()) {
    PathText name, real;
    if (failed(name.assign(to.virtual_path()) ? sibling(from, name, real) : -ENAMETOOLONG)) return -1;
    int result = call(AT_FDCWD, from.real(), AT_FDCWD, real.text);
    if (result == 0) result = failed(map_file(name.text, real.text)) ? -1 : 0;
    return result;
  }
  bool is_folder = S_ISDIR(from.mode());
  int result = call(from.dirfd, from.path, to.dirfd, to.path);
  if (result != 0 || (flags & RENAME_EXCHANGE) != 0) return result;
  from.removed();
  if (is_folder && to.overlaid()) (void)hide(to.virtual_path());  // or what lies below would show in the moved folder
  return result;
}

}  // namespace

WRAP(int, rename, const char *from, const char *to) {
  if (inactive()) return NEXT(rename)(from, to);
  return rename_names(AT_FDCWD, from, AT_FDCWD, to, 0,
                      [](int, const char *real_from, int, const char *real_to) { return NEXT(rename)(real_from, real_to); });
}

WRAP(int, renameat, int from_folder, const char *from, int to_folder, const char *to) {
  if (inactive()) return NEXT(renameat)(from_folder, from, to_folder, to);
  return rename_names(from_folder, from, to_folder, to, 0,
                      [](int folder1, const char *real_from, int folder2, const char *real_to) {
                        return NEXT(renameat)(folder1, real_from, folder2, real_to);
                      });
}

WRAP(int, renameat2, int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  if (inactive()) return NEXT(renameat2)(from_folder, from, to_folder, to, flags);
  return rename_names(from_folder, from, to_folder, to, flags,
                      [flags](int folder1, const char *real_from, int folder2, const char *real_to) {
                        return NEXT(renameat2)(folder1, real_from, folder2, real_to, flags);
                      });
}
