// What the computation's first process was started with as its descriptors, as the plugin `descriptor` notes it in the shared names
// CAIRN_NAMES_OUTSIDE: the other side of each is outside of the computation. Context: any.
#pragma once
#include "cairn/plugin.h"

namespace cairn::plugin {

inline constexpr int32_t most_given = 64;
/// Keys: given_parts * number + one of these; -1: the virtual pid of the process that noted them.
enum GivenPart : int64_t { given_device, given_inode, given_rdev, given_type, given_parts = 8 };

/// 0: nothing is noted.
inline int64_t given(const cairn_host* host, int32_t number, GivenPart which) {
  int64_t value = 0;
  return host->get_name(CAIRN_NAMES_OUTSIDE, number * given_parts + which, &value) == 0 ? value : 0;
}

/// A pipe or a socket, by its inode: each file system of those has one device.
inline bool was_given(const cairn_host* host, uint32_t type, uint64_t inode) {
  for (int32_t number = 0; number < most_given; ++number) {
    if (given(host, number, given_type) == static_cast<int64_t>(type) && given(host, number, given_inode) == static_cast<int64_t>(inode)) return true;
  }
  return false;
}

}  // namespace cairn::plugin
