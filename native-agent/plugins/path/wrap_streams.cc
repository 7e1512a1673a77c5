// Interposes on reading folders: opendir, fdopendir, readdir and their kin, scandir, glob. See streams.h.
#include "wrap.h"

#include <glob.h>
#include <stdlib.h>

#include "streams.h"

using namespace cairn::path;

WRAP(DIR *, opendir, const char *path) {
  if (inactive()) {
    DIR *plain = NEXT(opendir)(path);
    if (__builtin_expect(plain != nullptr && names_ids(path), 0)) watch_ids(plain);
    return plain;
  }
  Target target;
  if (failed(target.look(AT_FDCWD, path, true))) return nullptr;
  DIR *stream = NEXT(opendir)(target.path);
  if (stream == nullptr || !needs_stream(target)) return stream;
  if (int error = watch_stream(stream, target, target.layer())) {
    forget_stream(stream);
    close_below(stream);
    errno = -error;
    return nullptr;
  }
  return stream;
}

namespace {

/// Takes note of the stream of a descriptor, whose folder may lie in several layers.
void adopt(DIR *stream, int fd) {
  PathText real, candidate, link;
  Target target;
  if (!link.assign("/proc/thread-self/fd/", 21) || !link.append_number(static_cast<uint64_t>(fd))) return;
  long length = sys(SYS_readlinkat, AT_FDCWD, link.text, real.text, PathText::size - 1);
  if (length <= 0 || real.text[0] != '/') return;
  real.cut(static_cast<size_t>(length));
  if (names_ids(real.text)) return watch_ids(stream);
  if (target.look(fd, ".", true) != 0 || !needs_stream(target)) return;
  int32_t layer = top_layer(target.virtual_path());
  bool known = target.proc();
  if (layer >= 0) {
    do known = layer_path(layer, target.virtual_path(), candidate) == 0 && candidate.equals(real.text, real.length);
    while (!known && next_layer(target.virtual_path(), layer));
  }
  if (known) (void)watch_stream(stream, target, layer);
}

}  // namespace

WRAP(DIR *, fdopendir, int fd) {
  DIR *stream = NEXT(fdopendir)(fd);
  if (!inactive() && stream != nullptr) adopt(stream, fd);
  return stream;
}

WRAP(int, closedir, DIR *stream) {
  if (!no_streams()) forget_stream(stream);
  return NEXT(closedir)(stream);
}

WRAP(void, rewinddir, DIR *stream) {
  // What was opened before a restart shows from now on what is in all layers.
  if (!inactive() && !is_watched(stream)) adopt(stream, dirfd(stream));
  if (!no_streams()) rewind_stream(stream);
  NEXT(rewinddir)(stream);
}

WRAP(long, telldir, DIR *stream) {
  long position;
  return !no_streams() && tell_stream(stream, NEXT(telldir), position) ? position : NEXT(telldir)(stream);
}

WRAP(void, seekdir, DIR *stream, long position) {
  if (!no_streams()) {
    if (seek_stream(stream, NEXT(seekdir), position)) return;
    rewind_stream(stream);
  }
  NEXT(seekdir)(stream, position);
}

WRAP(struct dirent64 *, readdir64, DIR *stream) {
  if (no_streams()) return NEXT(readdir64)(stream);
  struct dirent64 *entry;
  return read_stream(stream, NEXT(readdir64), entry) ? entry : NEXT(readdir64)(stream);
}

WRAP(int, readdir64_r, DIR *stream, struct dirent64 *buffer, struct dirent64 **result) {
  if (no_streams()) return NEXT(readdir64_r)(stream, buffer, result);
  struct dirent64 *entry;
  int saved = errno;
  errno = 0;
  if (!read_stream(stream, cairn_wrap_readdir64, entry)) {
    errno = saved;
    return NEXT(readdir64_r)(stream, buffer, result);
  }
  int error = errno;
  errno = saved;
  *result = entry != nullptr ? buffer : nullptr;
  if (entry == nullptr) return error;
  memcpy(buffer, entry, offsetof(struct dirent64, d_name) + strlen(entry->d_name) + 1);
  return 0;
}

#if __SIZEOF_POINTER__ == 8  // one struct dirent
using NarrowEntry = struct dirent64;
WRAP(struct dirent64 *, readdir, DIR *stream) {
  if (no_streams()) return NEXT(readdir)(stream);
  return cairn_wrap_readdir64(stream);
}
WRAP(int, readdir_r, DIR *stream, struct dirent64 *buffer, struct dirent64 **result) {
  if (no_streams()) return NEXT(readdir_r)(stream, buffer, result);
  return cairn_wrap_readdir64_r(stream, buffer, result);
}
#else
using NarrowEntry = struct dirent;
WRAP(struct dirent *, readdir, DIR *stream) {
  if (no_streams()) return NEXT(readdir)(stream);
  struct dirent64 *entry;
  if (!read_stream(stream, NEXT(readdir64), entry)) return NEXT(readdir)(stream);
  return entry != nullptr ? narrow_entry_of(stream, *entry) : nullptr;
}
WRAP(int, readdir_r, DIR *stream, struct dirent *buffer, struct dirent **result) {
  if (no_streams()) return NEXT(readdir_r)(stream, buffer, result);
  struct dirent64 *entry;
  int saved = errno;
  errno = 0;
  bool watched = read_stream(stream, NEXT(readdir64), entry);
  int error = watched ? errno : 0;
  errno = saved;
  if (!watched) return NEXT(readdir_r)(stream, buffer, result);
  *result = entry != nullptr ? buffer : nullptr;
  if (entry != nullptr) narrow_entry(*entry, buffer);
  return entry != nullptr ? 0 : error;
}
#endif

namespace cairn::path {
DIR *open_below(const char *real) { return NEXT(opendir)(real); }
void close_below(DIR *stream) { NEXT(closedir)(stream); }
void rewind_below(DIR *stream) { NEXT(rewinddir)(stream); }
}  // namespace cairn::path

namespace {

template <typename Entry>
using Filter = int (*)(const Entry *);
template <typename Entry>
using Compare = int (*)(const Entry **, const Entry **);

/// scandir, by the functions above; takes the stream over.
template <typename Entry, typename Read>
int scan(DIR *stream, Entry ***list, Filter<Entry> filter, Compare<Entry> compare, Read read) {
  if (stream == nullptr) return -1;
  Entry **names = nullptr;
  size_t count = 0, room = 0;
  int saved = errno;
  errno = 0;
  while (Entry *entry = read(stream)) {
    if (filter != nullptr && filter(entry) == 0) {
      errno = 0;
      continue;
    }
    if (count == room) {
      room = room != 0 ? room * 2 : 16;
      void *grown = realloc(names, room * sizeof *names);
      if (grown == nullptr) break;
      names = static_cast<Entry **>(grown);
    }
    size_t size = offsetof(Entry, d_name) + strlen(entry->d_name) + 1;
    names[count] = static_cast<Entry *>(malloc(size));
    if (names[count] == nullptr) break;
    memcpy(names[count++], entry, size);
    errno = 0;
  }
  int error = errno;
  cairn_wrap_closedir(stream);
  if (error != 0) {
    while (count > 0) free(names[--count]);
    free(names);
    errno = error;
    return -1;
  }
  errno = saved;
  if (compare != nullptr && count > 1)
    qsort(names, count, sizeof *names, reinterpret_cast<int (*)(const void *, const void *)>(compare));
  if (names == nullptr) names = static_cast<Entry **>(malloc(sizeof *names));
  *list = names;
  return static_cast<int>(count);
}

template <typename Glob, typename Read>
void own_functions(Glob *result, Read read) {
  result->gl_opendir = reinterpret_cast<void *(*)(const char *)>(cairn_wrap_opendir);
  result->gl_readdir = reinterpret_cast<decltype(result->gl_readdir)>(read);
  result->gl_closedir = [](void *stream) { (void)cairn_wrap_closedir(static_cast<DIR *>(stream)); };
}

}  // namespace

extern "C" int cairn_path_stat64(const char *, void *) __asm__("stat64");
extern "C" int cairn_path_lstat64(const char *, void *) __asm__("lstat64");
extern "C" int cairn_path_stat(const char *, void *) __asm__("stat");
extern "C" int cairn_path_lstat(const char *, void *) __asm__("lstat");
extern "C" int cairn_path_openat(int, const char *, int, ...) __asm__("openat");

#define WRAP_SCANDIR(name, type, read)                                                                    \
  WRAP(int, name, const char *path, type ***list, Filter<type> filter, Compare<type> compare) {           \
    if (inactive() && !names_ids(path)) return NEXT(name)(path, list, filter, compare);                   \
    return scan<type>(cairn_wrap_opendir(path), list, filter, compare, read);                             \
  }
#define WRAP_SCANDIRAT(name, type, read)                                                                  \
  WRAP(int, name, int folder, const char *path, type ***list, Filter<type> filter, Compare<type> compare) { \
    if (inactive()) return NEXT(name)(folder, path, list, filter, compare);                               \
    int fd = cairn_path_openat(folder, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);            \
    return fd < 0 ? -1 : scan<type>(cairn_wrap_fdopendir(fd), list, filter, compare, read);               \
  }
#define WRAP_GLOB(name, type, read, stat, lstat)                                                          \
  WRAP(int, name, const char *pattern, int flags, int (*error)(const char *, int), type *result) {        \
    if (inactive() || (flags & GLOB_ALTDIRFUNC) != 0) return NEXT(name)(pattern, flags, error, result);   \
    own_functions(result, read);                                                                          \
    result->gl_stat = reinterpret_cast<decltype(result->gl_stat)>(stat);                                  \
    result->gl_lstat = reinterpret_cast<decltype(result->gl_lstat)>(lstat);                               \
    return NEXT(name)(pattern, flags | GLOB_ALTDIRFUNC, error, result);                                   \
  }
WRAP_SCANDIR(scandir, NarrowEntry, cairn_wrap_readdir)
WRAP_SCANDIRAT(scandirat, NarrowEntry, cairn_wrap_readdir)
WRAP_GLOB(glob, glob_t, cairn_wrap_readdir, cairn_path_stat, cairn_path_lstat)
WRAP_SCANDIR(scandir64, struct dirent64, cairn_wrap_readdir64)
WRAP_SCANDIRAT(scandirat64, struct dirent64, cairn_wrap_readdir64)
WRAP_GLOB(glob64, glob64_t, cairn_wrap_readdir64, cairn_path_stat64, cairn_path_lstat64)
