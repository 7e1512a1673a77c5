// Interposes on the functions that open a file by its path. [any] context; libc's functions are called for the opening itself,
// because they are cancellation points.
#include "known.h"
#include "wrap.h"

#include <stdarg.h>
#include <stdio.h>

namespace cairn::path {
namespace {

/// The flags of open(2) that libc's fopen takes for a mode.
int flags_of_mode(const char *mode) {
  int flags = mode[0] == 'r' ? O_RDONLY : mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY | O_CREAT | O_APPEND;
  for (const char *letter = mode + (mode[0] != 0); *letter != 0 && *letter != ','; ++letter) {
    if (*letter == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (*letter == 'x') flags |= O_EXCL;
  }
  return flags;
}

mode_t mode_argument(int flags, va_list list) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, mode_t) : 0;
}

}  // namespace
}  // namespace cairn::path

using namespace cairn::path;

// What needs a Target is a function of its own, so that the way past the rules has no big stack frame.
template <typename Next>
__attribute__((noinline)) static int open_at(int folder, const char *path, int flags, mode_t mode, Next next) {
  bool knowable = is_plain_reading(flags) && path != nullptr && (folder == AT_FDCWD || path[0] == '/');
  int opened = -1;
  if (KnownFile known; knowable && recall(path, known)) {
    opened = next(AT_FDCWD, path, flags, mode);
    if (opened >= 0 ? is_open(known, opened) : errno == EINTR) return opened;
  }
  Moment before = moment();
  Target target;
  bool wrong = failed(target.open(folder, path, flags));
  if (knowable && !wrong) remember(path, target, before);
  if (opened >= 0) {
    // Another file has its place meanwhile, and is the right one: closing it would end the locks that the program has on it.
    if (!wrong && target.is_plain_file() && is_open({target.device(), target.inode()}, opened)) return opened;
    int error = errno;
    (void)sys(SYS_close, opened);
    errno = error;
  }
  if (wrong) return -1;
  return next(target.dirfd, target.path, flags, mode);
}

#define WRAP_OPEN(name)                                              \
  WRAP(int, name, const char *path, int flags, ...) {                \
    va_list list;                                                    \
    va_start(list, flags);                                           \
    mode_t mode = mode_argument(flags, list);                        \
    va_end(list);                                                    \
    if (inactive()) return NEXT(name)(path, flags, mode);            \
    return open_at(AT_FDCWD, path, flags, mode, [](int, const char *real, int real_flags, mode_t real_mode) { \
      return NEXT(name)(real, real_flags, real_mode);                \
    });                                                              \
  }
WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPEN(__open)
WRAP_OPEN(__open64)

#define WRAP_OPENAT(name)                                            \
  WRAP(int, name, int folder, const char *path, int flags, ...) {    \
    va_list list;                                                    \
    va_start(list, flags);                                           \
    mode_t mode = mode_argument(flags, list);                        \
    va_end(list);                                                    \
    if (inactive()) return NEXT(name)(folder, path, flags, mode);    \
    return open_at(folder, path, flags, mode, NEXT(name));           \
  }
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define WRAP_OPEN_2(name)                                            \
  WRAP(int, name, const char *path, int flags) {                     \
    if (inactive()) return NEXT(name)(path, flags);                  \
    Target target;                                                   \
    if (failed(target.open(AT_FDCWD, path, flags))) return -1;       \
    return NEXT(name)(target.path, flags);                           \
  }
WRAP_OPEN_2(__open_2)
WRAP_OPEN_2(__open64_2)

#define WRAP_OPENAT_2(name)                                          \
  WRAP(int, name, int folder, const char *path, int flags) {         \
    if (inactive()) return NEXT(name)(folder, path, flags);          \
    Target target;                                                   \
    if (failed(target.open(folder, path, flags))) return -1;         \
    return NEXT(name)(target.dirfd, target.path, flags);             \
  }
WRAP_OPENAT_2(__openat_2)
WRAP_OPENAT_2(__openat64_2)

#define WRAP_CREAT(name)                                                                        \
  WRAP(int, name, const char *path, mode_t mode) {                                              \
    if (inactive()) return NEXT(name)(path, mode);                                              \
    Target target;                                                                              \
    if (failed(target.open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC))) return -1;           \
    return NEXT(name)(target.path, mode);                                                       \
  }
WRAP_CREAT(creat)
WRAP_CREAT(creat64)

#define WRAP_FOPEN(name)                                                                        \
  WRAP(FILE *, name, const char *path, const char *mode) {                                      \
    if (inactive()) return NEXT(name)(path, mode);                                              \
    Target target;                                                                              \
    if (failed(target.open(AT_FDCWD, path, flags_of_mode(mode)))) return nullptr;               \
    return NEXT(name)(target.path, mode);                                                       \
  }
WRAP_FOPEN(fopen)
WRAP_FOPEN(fopen64)
WRAP_FOPEN(_IO_fopen)

#define WRAP_FREOPEN(name)                                                                      \
  WRAP(FILE *, name, const char *path, const char *mode, FILE *stream) {                        \
    if (inactive() || path == nullptr) return NEXT(name)(path, mode, stream);                   \
    Target target;                                                                              \
    if (int error = target.open(AT_FDCWD, path, flags_of_mode(mode)); error < 0) {              \
      fclose(stream); /* as libc's does */                                                      \
      errno = -error;                                                                           \
      return nullptr;                                                                           \
    }                                                                                           \
    return NEXT(name)(target.path, mode, stream);                                               \
  }
WRAP_FREOPEN(freopen)
WRAP_FREOPEN(freopen64)

#define WRAP_TRUNCATE(name, type)                                                               \
  WRAP(int, name, const char *path, type length) {                                              \
    if (inactive()) return NEXT(name)(path, length);                                            \
    Target target;                                                                              \
    if (failed(target.change(AT_FDCWD, path, true, length == 0))) return -1;                    \
    return NEXT(name)(target.path, length);                                                     \
  }
WRAP_TRUNCATE(truncate, long)
WRAP_TRUNCATE(truncate64, int64_t)

// The caller's own frame must be the one that libc sees, for its RUNPATH; so where no rule applies this is a tail call.
WRAP(void *, dlopen, const char *path, int mode) {
  if (inactive() || path == nullptr || strchr(path, '/') == nullptr) return NEXT(dlopen)(path, mode);
  Target target;
  if (target.look(AT_FDCWD, path, true) < 0) return NEXT(dlopen)(path, mode);
  return NEXT(dlopen)(target.path, mode);
}

WRAP(void *, dlmopen, Lmid_t name_space, const char *path, int mode) {
  if (inactive() || path == nullptr || strchr(path, '/') == nullptr) return NEXT(dlmopen)(name_space, path, mode);
  Target target;
  if (target.look(AT_FDCWD, path, true) < 0) return NEXT(dlmopen)(name_space, path, mode);
  return NEXT(dlmopen)(name_space, target.path, mode);
}
