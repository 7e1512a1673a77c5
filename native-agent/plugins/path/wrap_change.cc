// Interposes on the functions that change a file's attributes by its path: what lies in a lower layer is copied up first.
#include "wrap.h"

#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

using namespace cairn::path;

#define WRAP_CHANGE(name, follow, more, with)                             \
  WRAP(int, name, const char *path CAIRN_LIST more) {                     \
    if (inactive()) return NEXT(name)(path CAIRN_LIST with);              \
    Target target;                                                        \
    if (failed(target.change(AT_FDCWD, path, follow))) return -1;         \
    return NEXT(name)(target.path CAIRN_LIST with);                       \
  }
#define CAIRN_LIST(...) __VA_OPT__(, ) __VA_ARGS__

WRAP_CHANGE(chmod, true, (mode_t mode), (mode))
WRAP_CHANGE(lchmod, false, (mode_t mode), (mode))
WRAP_CHANGE(chown, true, (uid_t user, gid_t group), (user, group))
WRAP_CHANGE(lchown, false, (uid_t user, gid_t group), (user, group))
WRAP_CHANGE(utime, true, (const struct utimbuf *times), (times))
WRAP_CHANGE(utimes, true, (const struct timeval times[2]), (times))
WRAP_CHANGE(lutimes, false, (const struct timeval times[2]), (times))
WRAP_CHANGE(setxattr, true, (const char *name, const void *value, size_t size, int flags), (name, value, size, flags))
WRAP_CHANGE(lsetxattr, false, (const char *name, const void *value, size_t size, int flags), (name, value, size, flags))
WRAP_CHANGE(removexattr, true, (const char *name), (name))
WRAP_CHANGE(lremovexattr, false, (const char *name), (name))

#define WRAP_CHANGE_AT(name, follow, more, with)                          \
  WRAP(int, name, int folder, const char *path CAIRN_LIST more) {         \
    if (inactive()) return NEXT(name)(folder, path CAIRN_LIST with);      \
    Target target;                                                        \
    if (failed(target.change(folder, path, follow))) return -1;           \
    return NEXT(name)(target.dirfd, target.path CAIRN_LIST with);         \
  }
WRAP_CHANGE_AT(fchmodat, (flags & AT_SYMLINK_NOFOLLOW) == 0, (mode_t mode, int flags), (mode, flags))
WRAP_CHANGE_AT(fchownat, (flags & AT_SYMLINK_NOFOLLOW) == 0, (uid_t user, gid_t group, int flags), (user, group, flags))
// A null path means the open file itself, in both.
WRAP_CHANGE_AT(utimensat, (flags & AT_SYMLINK_NOFOLLOW) == 0, (const struct timespec times[2], int flags), (times, flags))
WRAP_CHANGE_AT(futimesat, true, (const struct timeval times[2]), (times))

// What 32-bit programs with 64-bit times call.
#if __SIZEOF_POINTER__ == 4
WRAP_CHANGE(__utime64, true, (const void *times), (times))
WRAP_CHANGE(__utimes64, true, (const void *times), (times))
WRAP_CHANGE(__lutimes64, false, (const void *times), (times))
WRAP_CHANGE_AT(__utimensat64, (flags & AT_SYMLINK_NOFOLLOW) == 0, (const void *times, int flags), (times, flags))
WRAP_CHANGE_AT(__futimesat64, true, (const void *times), (times))
#endif
