// See copy_up.h.
#include "copy_up.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "numbers.h"
#include "own.h"
#include "state.h"

namespace cairn::path {
namespace {

constexpr unsigned kMaximumDepth = 12;

struct KernelEntry {  // struct linux_dirent64
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[1];
};

int copy_content(int from, int to, uint64_t size) {
  if (sys(SYS_ioctl, to, FICLONE, from) == 0) return 0;
  (void)size;
  for (;;) {
    long copied = sys(SYS_sendfile, to, from, 0, 1l << 26);
    if (copied == 0) return 0;
    if (copied < 0 && copied != -EINTR) return static_cast<int>(copied);
  }
}

void copy_attributes(int fd, const struct statx &status) {
  if (status.stx_uid != static_cast<uint32_t>(sys(SYS_geteuid)) || status.stx_gid != static_cast<uint32_t>(sys(SYS_getegid)))
    sys(SYS_fchown, fd, status.stx_uid, status.stx_gid);
  sys(SYS_fchmod, fd, status.stx_mode & 07777);
  struct timespec times[2] = {{static_cast<time_t>(status.stx_atime.tv_sec), static_cast<long>(status.stx_atime.tv_nsec)},
                              {static_cast<time_t>(status.stx_mtime.tv_sec), static_cast<long>(status.stx_mtime.tv_nsec)}};
  sys(SYS_utimensat, fd, 0, times, 0);
}

/// The copy is the same file for the application.
void keep_numbers(int fd, const struct statx &status) {
  struct stat64 copy;
  if (sys(SYS_fstat, fd, &copy) < 0) return;
  uint64_t device = makedev(status.stx_dev_major, status.stx_dev_minor), inode = status.stx_ino;
  shown_numbers(&device, &inode);
  (void)same_file(device, inode, copy.st_dev, copy.st_ino);
}

/// A name beside the final one that nobody else uses.
bool temporary_name(const PathText &path, PathText &temporary) {
  static uint32_t counter;
  if (!temporary.assign(path)) return false;
  temporary.pop();
  return temporary.append("/.cairn-copy.") && temporary.append_number(static_cast<uint64_t>(sys(SYS_gettid))) &&
         temporary.append(".", 1) && temporary.append_number(__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED));
}

int copy_folder(const PathText &top, const struct statx &status) {
  long error = sys(SYS_mkdirat, AT_FDCWD, top.text, 0700);
  if (error == -EEXIST) return 0;
  if (error < 0) return static_cast<int>(error);
  long fd = sys(SYS_openat, AT_FDCWD, top.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    struct statx writable = status;
    if (sys(SYS_geteuid) != 0) writable.stx_mode |= 0700;  // or nothing could be put into it
    copy_attributes(static_cast<int>(fd), writable);
    sys(SYS_close, fd);
  }
  return 0;
}

/// A named pipe is a meeting place, which each run has for itself; the attributes are all that it has.
int copy_pipe(const PathText &top, const struct statx &status) {
  PathText temporary;
  if (!temporary_name(top, temporary)) return -ENAMETOOLONG;
  long error = sys(SYS_mknodat, AT_FDCWD, temporary.text, S_IFIFO | 0600, 0);
  if (error < 0) return static_cast<int>(error);
  long fd = sys(SYS_openat, AT_FDCWD, temporary.text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) {
    copy_attributes(static_cast<int>(fd), status);
    keep_numbers(static_cast<int>(fd), status);
    sys(SYS_close, fd);
  }
  // A second name, and none where there is one already.
  error = sys(SYS_linkat, AT_FDCWD, temporary.text, AT_FDCWD, top.text, 0);
  sys(SYS_unlinkat, AT_FDCWD, temporary.text, 0);
  return error == -EEXIST ? 0 : static_cast<int>(error);
}

int copy_link(const char *real, const PathText &top) {
  PathText target;
  long length = sys(SYS_readlinkat, AT_FDCWD, real, target.text, PathText::size - 1);
  if (length < 0) return static_cast<int>(length);
  target.cut(static_cast<size_t>(length));
  long error = sys(SYS_symlinkat, target.text, AT_FDCWD, top.text);
  return error == -EEXIST ? 0 : static_cast<int>(error);
}

/// Calls visit(name, layer, path) for each name in the lower folders of a virtual folder, until it returns not 0.
template <typename Visit>
int each_lower_entry(const PathText &folder, Visit visit) {
  PathText real;
  alignas(8) char buffer[1024];
  int32_t layer = top_layer(folder);
  while (next_layer(folder, layer)) {
    if (int error = layer_path(layer, folder, real)) return error;
    long fd = sys(SYS_openat, AT_FDCWD, real.length != 0 ? real.text : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -ENOENT) continue;
    if (fd == -ENOTDIR) return 0;
    if (fd < 0) return static_cast<int>(fd);
    int result = 0;
    long size;
    while (result == 0 && (size = sys(SYS_getdents64, fd, buffer, sizeof buffer)) > 0) {
      for (long at = 0; at < size && result == 0;) {
        const KernelEntry *entry = reinterpret_cast<const KernelEntry *>(buffer + at);
        at += entry->size;
        if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0) result = visit(entry->name, layer);
      }
    }
    sys(SYS_close, fd);
    if (result != 0) return result;
    if (size < 0) return static_cast<int>(size);
  }
  return 0;
}

}  // namespace

int copy_file(const char *real, const PathText &top, const struct statx &status, bool truncate) {
  PathText temporary;
  if (!temporary_name(top, temporary)) return -ENAMETOOLONG;
  long from = -1;
  if (!truncate) {
    from = sys(SYS_openat, AT_FDCWD, real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_LARGEFILE);
    if (from < 0) return static_cast<int>(from);
  }
  long to = sys(SYS_openat, AT_FDCWD, temporary.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_LARGEFILE, 0600);
  long error = to < 0 ? to : 0;
  if (error == 0 && !truncate) error = copy_content(static_cast<int>(from), static_cast<int>(to), status.stx_size);
  if (error == 0) copy_attributes(static_cast<int>(to), status);
  if (error == 0) keep_numbers(static_cast<int>(to), status);
  if (from >= 0) sys(SYS_close, from);
  if (to >= 0) sys(SYS_close, to);
  if (error == 0) {
    error = sys(SYS_renameat2, AT_FDCWD, temporary.text, AT_FDCWD, top.text, RENAME_NOREPLACE);
    if (error == -EINVAL || error == -ENOSYS) {  // file systems without it
      error = sys(SYS_linkat, AT_FDCWD, temporary.text, AT_FDCWD, top.text, 0);
      if (error == 0 || error == -EEXIST) sys(SYS_unlinkat, AT_FDCWD, temporary.text, 0);
    }
    if (error == 0) return 0;
  }
  if (to >= 0) sys(SYS_unlinkat, AT_FDCWD, temporary.text, 0);
  return error == -EEXIST ? 0 : static_cast<int>(error);
}

int make_parents(const PathText &path) {
  int32_t top = top_layer(path);
  if (top < 0) return 0;
  PathText ancestor;
  Found found;
  tell_own(path);
  for (size_t end = state.layer[top].root_length + 1u; end < path.length; ++end) {
    if (path.text[end] != '/') continue;
    if (!ancestor.assign(path.text, end)) return -ENAMETOOLONG;
    if (int error = locate_overlay(ancestor, found)) return error;
    if (found.where == Where::kTop && S_ISDIR(found.mode)) continue;
    if (found.where == Where::kAbsent) return -ENOENT;
    if (found.error != 0) return found.error;
    struct statx status;
    if (int error = stat_path(found.real.text, true, status)) return error;
    if (!S_ISDIR(status.stx_mode)) return -ENOTDIR;
    if (found.where == Where::kTop) continue;
    PathText made;
    if (int error = layer_path(top, ancestor, made)) return error;
    tell_own(ancestor);
    if (int error = copy_folder(made, status)) return error;
  }
  return 0;
}

int copy_up(const PathText &path, const char *real, const struct statx &status, bool truncate) {
  if (int error = make_parents(path)) return error;
  PathText top;
  if (int error = layer_path(top_layer(path), path, top)) return error;
  switch (status.stx_mode & S_IFMT) {
    case S_IFREG:
      return copy_file(real, top, status, truncate);
    case S_IFDIR:
      return copy_folder(top, status);
    case S_IFLNK:
      return copy_link(real, top);
    case S_IFIFO:
      return copy_pipe(top, status);
    default:
      return -EXDEV;  // devices and sockets cannot be copied
  }
}

int has_lower_entries(const PathText &folder) {
  PathText child;
  Found found;
  return each_lower_entry(folder, [&](const char *name, int32_t layer) {
    if (!child.assign(folder) || !child.append_component(name, strlen(name))) return -ENAMETOOLONG;
    if (int error = locate_overlay(child, found)) return error;
    return found.where == Where::kTop || found.where == Where::kAbsent || found.layer != layer ? 0 : 1;
  });
}

int copy_tree(PathText &path, unsigned depth) {
  if (depth > kMaximumDepth) return -EXDEV;
  Found found;
  struct statx status;
  if (int error = locate_overlay(path, found)) return error;
  if (found.where == Where::kLower) {
    if (int error = stat_path(found.real.text, false, status)) return error;
    if (int error = copy_up(path, found.real.text, status, false)) return error;
  }
  if (!S_ISDIR(found.mode)) return 0;
  size_t length = path.length;
  int result = each_lower_entry(path, [&](const char *name, int32_t layer) {
    if (!path.append_component(name, strlen(name))) return -ENAMETOOLONG;
    Found child;
    int error = locate_overlay(path, child);
    bool visible = child.where == Where::kLower && child.layer == layer;
    bool merged = child.where == Where::kTop && S_ISDIR(child.mode);
    if (error == 0 && (visible || merged)) error = copy_tree(path, depth + 1);
    path.cut(length);
    return error;
  });
  return result;
}

}  // namespace cairn::path
