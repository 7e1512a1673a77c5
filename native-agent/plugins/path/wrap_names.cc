// Interposes on the functions that make and remove names: unlink, rmdir, mkdir, mknod, mkfifo, link, symlink. (Renaming:
// wrap_rename.cc.)
#include "wrap.h"

#include <unistd.h>

using namespace cairn::path;

namespace {

/// Ends a wrapper that removes: `call` is libc's function.
template <typename Call>
int remove_name(int folder, const char *path, bool is_folder, Call call) {
  Target target;
  int result = target.remove(folder, path, is_folder);
  if (failed(result)) return -1;
  if (result == 1) return 0;
  result = call(target.dirfd, target.path);
  if (result == 0) target.removed();
  return result;
}

/// The file itself goes to the run folder first: a second name for the earlier run's file would be a way to write to it.
int prepare_link(Target &from, int from_folder, const char *from_path, bool follow, Target &to, int to_folder,
                 const char *to_path) {
  if (int error = from.look(from_folder, from_path, follow)) return error;
  if (from.where() == Where::kAbsent) return -ENOENT;
  if (int error = to.create(to_folder, to_path)) return error;
  return from.raise(follow, false);
}

}  // namespace

WRAP(int, unlink, const char *path) {
  if (inactive()) return NEXT(unlink)(path);
  return remove_name(AT_FDCWD, path, false, [](int, const char *real) { return NEXT(unlink)(real); });
}

WRAP(int, rmdir, const char *path) {
  if (inactive()) return NEXT(rmdir)(path);
  return remove_name(AT_FDCWD, path, true, [](int, const char *real) { return NEXT(rmdir)(real); });
}

WRAP(int, unlinkat, int folder, const char *path, int flags) {
  if (inactive()) return NEXT(unlinkat)(folder, path, flags);
  return remove_name(folder, path, (flags & AT_REMOVEDIR) != 0,
                     [flags](int real_folder, const char *real) { return NEXT(unlinkat)(real_folder, real, flags); });
}

WRAP(int, remove, const char *path) {
  if (inactive()) return NEXT(remove)(path);
  bool is_folder;
  {
    Target target;
    if (failed(target.look(AT_FDCWD, path, false))) return -1;
    is_folder = target.touched() || target.where() != Where::kNone ? S_ISDIR(target.mode()) : false;
  }
  return remove_name(AT_FDCWD, path, is_folder, [](int, const char *real) { return NEXT(remove)(real); });
}

#define WRAP_CREATE(name, more, with)                                     \
  WRAP(int, name, const char *path CAIRN_LIST more) {                     \
    if (inactive()) return NEXT(name)(path CAIRN_LIST with);              \
    Target target;                                                        \
    if (failed(target.create(AT_FDCWD, path))) return -1;                 \
    return NEXT(name)(target.path CAIRN_LIST with);                       \
  }
#define WRAP_CREATE_AT(name, more, with)                                  \
  WRAP(int, name, int folder, const char *path CAIRN_LIST more) {         \
    if (inactive()) return NEXT(name)(folder, path CAIRN_LIST with);      \
    Target target;                                                        \
    if (failed(target.create(folder, path))) return -1;                   \
    return NEXT(name)(target.dirfd, target.path CAIRN_LIST with);         \
  }
#define CAIRN_LIST(...) __VA_OPT__(, ) __VA_ARGS__

WRAP_CREATE(mkdir, (mode_t mode), (mode))
WRAP_CREATE_AT(mkdirat, (mode_t mode), (mode))
WRAP_CREATE(mkfifo, (mode_t mode), (mode))
WRAP_CREATE_AT(mkfifoat, (mode_t mode), (mode))
WRAP_CREATE(mknod, (mode_t mode, dev_t device), (mode, device))
WRAP_CREATE_AT(mknodat, (mode_t mode, dev_t device), (mode, device))

// Programs linked before glibc 2.33; dlsym does not find libc's. See wrap_stat.cc.
WRAP(int, __xmknod, int version, const char *path, mode_t mode, dev_t *device) {
  auto *next = NEXT_IF_THERE(__xmknod);
  if (next == nullptr) return cairn_wrap_mknod(path, mode, *device);
  if (inactive()) return next(version, path, mode, device);
  Target target;
  return failed(target.create(AT_FDCWD, path)) ? -1 : next(version, target.path, mode, device);
}
WRAP(int, __xmknodat, int version, int folder, const char *path, mode_t mode, dev_t *device) {
  auto *next = NEXT_IF_THERE(__xmknodat);
  if (next == nullptr) return cairn_wrap_mknodat(folder, path, mode, *device);
  if (inactive()) return next(version, folder, path, mode, device);
  Target target;
  return failed(target.create(folder, path)) ? -1 : next(version, target.dirfd, target.path, mode, device);
}

WRAP(int, symlink, const char *content, const char *path) {
  if (inactive()) return NEXT(symlink)(content, path);
  Target target;
  if (failed(target.create(AT_FDCWD, path))) return -1;
  return NEXT(symlink)(content, target.path);
}

WRAP(int, symlinkat, const char *content, int folder, const char *path) {
  if (inactive()) return NEXT(symlinkat)(content, folder, path);
  Target target;
  if (failed(target.create(folder, path))) return -1;
  return NEXT(symlinkat)(content, target.dirfd, target.path);
}

WRAP(int, link, const char *from, const char *to) {
  if (inactive()) return NEXT(link)(from, to);
  Target old_name, new_name;
  if (failed(prepare_link(old_name, AT_FDCWD, from, false, new_name, AT_FDCWD, to))) return -1;
  return NEXT(link)(old_name.path, new_name.path);
}

WRAP(int, linkat, int from_folder, const char *from, int to_folder, const char *to, int flags) {
  if (inactive()) return NEXT(linkat)(from_folder, from, to_folder, to, flags);
  Target old_name, new_name;
  bool follow = (flags & AT_SYMLINK_FOLLOW) != 0;
  if (failed(prepare_link(old_name, from_folder, from, follow, new_name, to_folder, to))) return -1;
  return NEXT(linkat)(old_name.dirfd, old_name.path, new_name.dirfd, new_name.path, flags);
}
