// Interposes on the functions that look at a file by its path and change nothing.
#include "numbers.h"
#include "wrap.h"

#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace cairn::path;

namespace {

constexpr unsigned kTerminals = 136;  // the major number of /dev/pts/N

/// The result of stat(2): a file that was made again has the numbers of before (numbers.h), the device of a terminal its virtual
/// number, as its name has.
template <typename Status>
int shown(int result, Status *status) {
  if (result == 0) show_numbers(status);
  if (result != 0 || !S_ISCHR(status->st_mode) || major(status->st_rdev) != kTerminals || terminals() == nullptr) return result;
  int32_t number = terminals()->to_virtual(static_cast<int32_t>(minor(status->st_rdev)));
  status->st_rdev = makedev(kTerminals, static_cast<unsigned>(number));
  return result;
}

}  // namespace

// result name(path, more): `more` are the further parameters in parentheses, `with` their names.
#define WRAP_LOOK(result, name, follow, more, with)                       \
  WRAP(result, name, const char *path CAIRN_LIST more) {                  \
    if (inactive()) return NEXT(name)(path CAIRN_LIST with);              \
    Target target;                                                        \
    if (failed(target.look(AT_FDCWD, path, follow))) return -1;           \
    return NEXT(name)(target.path CAIRN_LIST with);                       \
  }
#define CAIRN_LIST(...) __VA_OPT__(, ) __VA_ARGS__

#define WRAP_STAT(name, follow, type)                                     \
  WRAP(int, name, const char *path, struct type *status) {                \
    if (inactive()) return NEXT(name)(path, status);                      \
    Target target;                                                        \
    if (failed(target.look(AT_FDCWD, path, follow))) return -1;           \
    return shown(NEXT(name)(target.path, status), status);                \
  }
WRAP_STAT(stat, true, stat)
WRAP_STAT(stat64, true, stat64)
WRAP_STAT(lstat, false, stat)
WRAP_STAT(lstat64, false, stat64)

#define WRAP_FSTAT(name, type)                                            \
  WRAP(int, name, int fd, struct type *status) {                          \
    if (inactive()) return NEXT(name)(fd, status);                        \
    return shown(NEXT(name)(fd, status), status);                         \
  }
WRAP_FSTAT(fstat, stat)
WRAP_FSTAT(fstat64, stat64)

WRAP_LOOK(int, access, true, (int mode), (mode))
WRAP_LOOK(int, euidaccess, true, (int mode), (mode))
WRAP_LOOK(int, eaccess, true, (int mode), (mode))
WRAP_LOOK(int, statfs, true, (struct statfs * status), (status))
WRAP_LOOK(int, statfs64, true, (struct statfs64 * status), (status))
WRAP_LOOK(int, __statfs, true, (struct statfs * status), (status))
WRAP_LOOK(int, statvfs, true, (struct statvfs * status), (status))
WRAP_LOOK(int, statvfs64, true, (struct statvfs64 * status), (status))
WRAP_LOOK(long, pathconf, true, (int name), (name))
WRAP_LOOK(ssize_t, getxattr, true, (const char *name, void *value, size_t size), (name, value, size))
WRAP_LOOK(ssize_t, lgetxattr, false, (const char *name, void *value, size_t size), (name, value, size))
WRAP_LOOK(ssize_t, listxattr, true, (char *list, size_t size), (list, size))
WRAP_LOOK(ssize_t, llistxattr, false, (char *list, size_t size), (list, size))

#define WRAP_FSTATAT(name, type)                                                                \
  WRAP(int, name, int folder, const char *path, struct type *status, int flags) {               \
    if (inactive()) return NEXT(name)(folder, path, status, flags);                             \
    Target target;                                                                              \
    if (failed(target.look(folder, path, (flags & AT_SYMLINK_NOFOLLOW) == 0))) return -1;       \
    return shown(NEXT(name)(target.dirfd, target.path, status, flags), status);                 \
  }
WRAP_FSTATAT(fstatat, stat)
WRAP_FSTATAT(fstatat64, stat64)

WRAP(int, statx, int folder, const char *path, int flags, unsigned mask, struct statx *status) {
  if (inactive()) return NEXT(statx)(folder, path, flags, mask, status);
  Target target;
  if (failed(target.look(folder, path, (flags & AT_SYMLINK_NOFOLLOW) == 0))) return -1;
  int result = NEXT(statx)(target.dirfd, target.path, flags, mask, status);
  if (result == 0) show_numbers(status);
  if (result == 0 && S_ISCHR(status->stx_mode) && status->stx_rdev_major == kTerminals && terminals() != nullptr)
    status->stx_rdev_minor = static_cast<uint32_t>(terminals()->to_virtual(static_cast<int32_t>(status->stx_rdev_minor)));
  return result;
}

WRAP(int, faccessat, int folder, const char *path, int mode, int flags) {
  if (inactive()) return NEXT(faccessat)(folder, path, mode, flags);
  Target target;
  if (failed(target.look(folder, path, (flags & AT_SYMLINK_NOFOLLOW) == 0))) return -1;
  return NEXT(faccessat)(target.dirfd, target.path, mode, flags);
}

extern "C" int cairn_wrap_inotify_add_watch(int fd, const char *path, uint32_t mask) __asm__("inotify_add_watch");
static cairn::path::NextFunction next_add_watch __attribute__((section("cairn_path_next"), used)) = {"inotify_add_watch", nullptr};

/// The kernel forgets by which path a watch was added; the plugin that brings it back has to know.
static int add_watch(int fd, const char *path, uint32_t mask) {
  int watch = reinterpret_cast<decltype(&cairn_wrap_inotify_add_watch)>(next_function(next_add_watch))(fd, path, mask);
  if (watch < 0 || state.host == nullptr) return watch;
  auto *watches = static_cast<const cairn_watches *>(state.host->extension("cairn.watches/1"));
  if (watches != nullptr) watches->added(path, mask);
  return watch;
}

WRAP(int, inotify_add_watch, int fd, const char *path, uint32_t mask) {
  if (inactive()) return add_watch(fd, path, mask);
  Target target;
  if (failed(target.look(AT_FDCWD, path, (mask & IN_DONT_FOLLOW) == 0))) return -1;
  // What this run does in a folder it does in the run folder's version.
  if (S_ISDIR(target.mode()) && failed(target.raise((mask & IN_DONT_FOLLOW) == 0, false))) return -1;
  return add_watch(fd, target.path, mask);
}

// Programs linked before glibc 2.33 call these. dlsym does not find libc's (they are compatibility symbols), but they are the functions
// above: on 64-bit systems struct stat has only one version, on i386 the one before was a kernel's of long ago. A library behind Cairn that
// has functions of these names is called by them: the functions above it may have made of these, as fakeroot's does, and would call us again.
static bool known_version(int version) {
  constexpr int version_i386 = 3;
  if (sizeof(void *) == 8 || version == version_i386) return true;
  errno = EINVAL;
  return false;
}
#define WRAP_OLD_STAT(name, function, follow, type)                                             \
  WRAP(int, name, int version, const char *path, struct type *status) {                         \
    auto *next = NEXT_IF_THERE(name);                                                           \
    if (next == nullptr) return known_version(version) ? cairn_wrap_##function(path, status) : -1; \
    if (inactive()) return next(version, path, status);                                         \
    Target target;                                                                              \
    if (failed(target.look(AT_FDCWD, path, follow))) return -1;                                 \
    return shown(next(version, target.path, status), status);                                   \
  }
#define WRAP_OLD_FSTAT(name, function, type)                                                    \
  WRAP(int, name, int version, int fd, struct type *status) {                                   \
    auto *next = NEXT_IF_THERE(name);                                                           \
    if (next == nullptr) return known_version(version) ? cairn_wrap_##function(fd, status) : -1; \
    return inactive() ? next(version, fd, status) : shown(next(version, fd, status), status);   \
  }
#define WRAP_OLD_FSTATAT(name, function, type)                                                  \
  WRAP(int, name, int version, int folder, const char *path, struct type *status, int flags) {  \
    auto *next = NEXT_IF_THERE(name);                                                           \
    if (next == nullptr) return known_version(version) ? cairn_wrap_##function(folder, path, status, flags) : -1; \
    if (inactive()) return next(version, folder, path, status, flags);                          \
    Target target;                                                                              \
    if (failed(target.look(folder, path, (flags & AT_SYMLINK_NOFOLLOW) == 0))) return -1;       \
    return shown(next(version, target.dirfd, target.path, status, flags), status);              \
  }
WRAP_OLD_FSTAT(__fxstat, fstat, stat)
WRAP_OLD_FSTAT(__fxstat64, fstat64, stat64)
WRAP_OLD_STAT(__xstat, stat, true, stat)
WRAP_OLD_STAT(__xstat64, stat64, true, stat64)
WRAP_OLD_STAT(__lxstat, lstat, false, stat)
WRAP_OLD_STAT(__lxstat64, lstat64, false, stat64)
WRAP_OLD_FSTATAT(__fxstatat, fstatat, stat)
WRAP_OLD_FSTATAT(__fxstatat64, fstatat64, stat64)

// What 32-bit programs with 64-bit times call.
#if __SIZEOF_POINTER__ == 4
WRAP_LOOK(int, __stat64_time64, true, (void *status), (status))
WRAP_LOOK(int, __lstat64_time64, false, (void *status), (status))
WRAP(int, __fstatat64_time64, int folder, const char *path, void *status, int flags) {
  if (inactive()) return NEXT(__fstatat64_time64)(folder, path, status, flags);
  Target target;
  if (failed(target.look(folder, path, (flags & AT_SYMLINK_NOFOLLOW) == 0))) return -1;
  return NEXT(__fstatat64_time64)(target.dirfd, target.path, status, flags);
}
#endif
