// Owns: making the folders above something that comes back. [restoring] Test: test/probes/files/folder_modes.c.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/text.h"

namespace cairn::plugin {

/// Makes all folders above a path that are not there.
inline void make_folders(const cairn_host* host, const char* path, int32_t mode) {
  char part[4096];
  for (uint32_t i = 0; path[i] != 0 && i + 1 < sizeof part; ++i) {
    part[i] = path[i];
    part[i + 1] = 0;
    if (i > 0 && path[i + 1] == '/') host->syscall(SYS_mkdir, reinterpret_cast<intptr_t>(part), mode, 0, 0, 0, 0);
  }
}

/// The same in a run folder. What follows the path's first `root` bytes the program knows below `known`: the folders made there have the
/// owner and the mode that it knows, since programs look whether others may enter the folder of their sockets.
inline void make_known_folders(const cairn_host* host, const char* path, uint32_t root, const char* known) {
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  constexpr int64_t here = -100;  // AT_FDCWD, which kernel and libc both define
  char part[4096], name[4096], before[4096];
  uint32_t length = 0;
  for (; known[length] != 0 && length + 1 < sizeof name; ++length) name[length] = known[length];
  for (uint32_t i = 0; path[i] != 0 && i + 1 < sizeof part && length + 1 < sizeof name; ++i) {
    part[i] = path[i];
    part[i + 1] = 0;
    if (i >= root) name[length++] = path[i], name[length] = 0;
    if (i == 0 || path[i + 1] != '/') continue;
    struct stat64 status = {};
    const auto place = reinterpret_cast<intptr_t>(part);
    if (call(host, SYS_newfstatat, here, place, reinterpret_cast<intptr_t>(&status), 0) == 0) continue;
    bool is_known = i >= root && paths != nullptr && paths->to_real(name, before, sizeof before) >= 0 &&
                    call(host, SYS_newfstatat, here, reinterpret_cast<intptr_t>(before), reinterpret_cast<intptr_t>(&status), 0) == 0;
    // Nobody enters one that is private before it is so.
    if (call(host, SYS_mkdirat, here, place, is_known ? 0700 : 0777) != 0 || !is_known) continue;
    call(host, SYS_fchownat, here, place, status.st_uid, status.st_gid, 0);
    // Its owner has to put something into it.
    call(host, SYS_fchmodat, here, place, (status.st_mode & 07777u) | (call(host, SYS_geteuid) != 0 ? 0700u : 0u));
  }
}

/// Makes a folder in the place of one that was removed, whose path was `known`: beside what was beside it, so that ".." leads there, or else
/// anywhere. Its path is in `path`: whoever has opened it removes it. 0 or -errno.
inline int32_t make_removed_folder(const cairn_host* host, const char* known, char* path, uint32_t capacity) {
  constexpr int64_t here = -100;
  static uint32_t counter = 0;
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  if (paths != nullptr && paths->new_real != nullptr && paths->new_real(known, path, capacity) >= 0) {
    // Another process may have it there for a moment.
    for (int patience = 0; patience < 100; ++patience) {
      int64_t error = call(host, SYS_mkdirat, here, reinterpret_cast<intptr_t>(path), 0700);
      if (error == 0) return 0;
      if (error != -EEXIST) break;
      struct timespec pause = {0, 1000000};
      call(host, SYS_nanosleep, reinterpret_cast<intptr_t>(&pause), 0);
    }
  }
  const char* folder = nullptr;
  bool own = host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &folder) != nullptr;
  Text<4096> place;
  place.add(own ? folder : "/tmp").add(own ? "/.cairn/removed-" : "/cairn-removed-").add(int64_t{host->real_pid()}).add("-").add(int64_t{counter++});
  if (place.size() + 1 > capacity) return -ENAMETOOLONG;
  for (uint64_t i = 0; i <= place.size(); ++i) path[i] = place.text()[i];
  make_folders(host, path, 0777);
  return static_cast<int32_t>(call(host, SYS_mkdirat, here, reinterpret_cast<intptr_t>(path), 0700));
}

}  // namespace cairn::plugin
