// Interposes on what takes a path for later, or for a name of another kind: what posix_spawn is to open, file handles, chroot; and on
// dladdr, which gives the path by which a library was loaded. Test: test/probes/paths.test.ts.
#include "wrap.h"

#include <spawn.h>
#include <stdlib.h>

using namespace cairn::path;

namespace {

/// Paths that were given out; they stay, as those of the loader's do while a library is loaded.
struct Kept {
  Kept *next;
  char text[];
};
Kept *kept;

const char *keep(const PathText &path) {
  for (Kept *one = __atomic_load_n(&kept, __ATOMIC_ACQUIRE); one != nullptr; one = one->next)
    if (path.equals(one->text)) return one->text;
  auto *fresh = static_cast<Kept *>(malloc(sizeof(Kept) + path.length + 1u));
  if (fresh == nullptr) return nullptr;
  memcpy(fresh->text, path.text, path.length + 1u);
  fresh->next = __atomic_load_n(&kept, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&kept, &fresh->next, fresh, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
  }
  return fresh->text;
}

/// What dladdr has found.
struct Symbol {
  const char *file;
  void *base;
  const char *symbol;
  void *address;
};

int with_virtual_file(int result, Symbol *info) {
  PathText path;
  if (result == 0 || info->file == nullptr || info->file[0] != '/') return result;
  if (to_virtual(info->file, strlen(info->file), path) != 0 || path.equals(info->file)) return result;
  if (const char *text = keep(path)) info->file = text;
  return result;
}

}  // namespace

WRAP(int, dladdr, const void *address, Symbol *info) {
  if (inactive()) return NEXT(dladdr)(address, info);
  return with_virtual_file(NEXT(dladdr)(address, info), info);
}

WRAP(int, dladdr1, const void *address, Symbol *info, void **extra, int flags) {
  if (inactive()) return NEXT(dladdr1)(address, info, extra, flags);
  return with_virtual_file(NEXT(dladdr1)(address, info, extra, flags), info);
}

WRAP(int, posix_spawn_file_actions_addopen, posix_spawn_file_actions_t *actions, int fd, const char *path, int flags, mode_t mode) {
  if (inactive()) return NEXT(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
  Target target;
  if (int error = target.open(AT_FDCWD, path, flags); error < 0) return -error;
  // In /proc the child is another process.
  return NEXT(posix_spawn_file_actions_addopen)(actions, fd, target.proc() ? path : target.path, flags, mode);
}

WRAP(int, posix_spawn_file_actions_addchdir_np, posix_spawn_file_actions_t *actions, const char *path) {
  if (inactive()) return NEXT(posix_spawn_file_actions_addchdir_np)(actions, path);
  Target target;
  if (int error = target.look_folder(AT_FDCWD, path); error < 0) return -error;
  return NEXT(posix_spawn_file_actions_addchdir_np)(actions, target.path);
}

WRAP(int, name_to_handle_at, int folder, const char *path, struct file_handle *handle, int *mount, int flags) {
  if (inactive() || path == nullptr || path[0] == 0) return NEXT(name_to_handle_at)(folder, path, handle, mount, flags);
  Target target;
  if (failed(target.look(folder, path, (flags & AT_SYMLINK_FOLLOW) != 0))) return -1;
  return NEXT(name_to_handle_at)(target.dirfd, target.path, handle, mount, flags);
}

/// What the application has from then on are paths in another root, to which no rule applies; the root is found where it is now.
WRAP(int, chroot, const char *path) {
  if (inactive()) return NEXT(chroot)(path);
  Target target;
  if (failed(target.look_folder(AT_FDCWD, path))) return -1;
  return NEXT(chroot)(target.path);
}
