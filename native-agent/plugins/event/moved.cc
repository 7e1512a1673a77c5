// What inotify watches, and does not have the path any more by which the watch was added: where it is now. The kernel does not tell, so this
// looks where it may be: among what this process has open, and in the folder where it was. [quiesced]
// Test: test/probes/events/watches_moved.c.
#include <sys/stat.h>

#include "event/events.h"

namespace cairn::event {
namespace {

constexpr const char* descriptors = "/proc/thread-self/fd";  // also where the first thread has ended

bool is_that(const struct stat64& status, const FileNumbers& wanted) { return status.st_dev == wanted.device && status.st_ino == wanted.inode; }

bool leads_to(const char* path, const FileNumbers& wanted, long flags) {
  struct stat64 status;
  return sys(SYS_newfstatat, AT_FDCWD, pointer(path), pointer(&status), flags) == 0 && is_that(status, wanted);
}

/// The entry of a folder that is that file.
bool find_in(const char* folder, const FileNumbers& wanted, long flags, Text<4096>* path) {
  bool found = false;
  (void)plugin::for_each_entry(host, folder, [&](long fd, const plugin::KernelDirent& entry) {
    struct stat64 status;
    // Where file systems are stacked a folder may show other numbers than its files have.
    if (plugin::same(entry.name, "..") || sys(SYS_newfstatat, fd, pointer(entry.name), pointer(&status), flags) < 0) return false;
    if (!is_that(status, wanted)) return false;
    *path = {};
    path->add(folder).add("/").add(entry.name);
    found = true;
    return true;
  });
  return found;
}

bool find_open(const FileNumbers& wanted, Text<4096>* path) {
  if (!find_in(descriptors, wanted, 0, path)) return false;
  char name[4096];
  long size = sys(SYS_readlink, pointer(path->text()), pointer(name), sizeof name - 1);
  if (size <= 0) return true;
  name[size] = 0;
  // Without a name it is watched by its descriptor.
  if (!leads_to(name, wanted, AT_SYMLINK_NOFOLLOW)) return true;
  *path = {};
  path->add(name);
  return true;
}

}  // namespace

bool folder_of_run(const cairn_paths& paths, const char* path, char* real, uint32_t capacity) {
  constexpr char name[] = "/.cairn-watched";
  Text<4096 + sizeof name> inside;
  inside.add(path).add(name);
  int32_t length = paths.new_real(inside.text(), real, capacity);
  if (length <= static_cast<int32_t>(sizeof name)) return false;
  real[length - static_cast<int32_t>(sizeof name - 1)] = 0;
  struct stat64 status = {};
  return sys(SYS_newfstatat, AT_FDCWD, pointer(real), pointer(&status), 0) == 0 && S_ISDIR(status.st_mode);
}

bool find_watched(const FileNumbers& wanted, const char* before, bool dont_follow, const char** now) {
  static Text<4096> path;
  static char shown[4096];
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  long flags = dont_follow ? AT_SYMLINK_NOFOLLOW : 0;
  char real[4096];
  if (paths->to_real(before, real, sizeof real) < 0) return false;
  *now = before;
  if (leads_to(real, wanted, flags)) return true;
  char own[4096];
  if (!dont_follow && folder_of_run(*paths, before, own, sizeof own) && leads_to(own, wanted, 0)) return true;
  // The run has a version of its own by now, and what is watched is that of before.
  if (leads_to(before, wanted, flags)) return true;
  path = {};
  if (!find_open(wanted, &path)) {
    uint64_t length = plugin::length_of(real);
    while (length > 1 && real[length - 1] != '/') --length;
    real[length > 1 ? length - 1 : length] = 0;
    if (!find_in(real, wanted, AT_SYMLINK_NOFOLLOW, &path)) return false;
  }
  *now = paths->to_virtual(path.text(), shown, sizeof shown) >= 0 ? shown : path.text();
  return true;
}

}  // namespace cairn::event
