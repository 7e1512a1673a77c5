// Owns: making the folders above something that comes back. [restoring]
#pragma once
#include <stdint.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"

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

}  // namespace cairn::plugin
