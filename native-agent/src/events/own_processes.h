// The processes that Cairn makes for itself beside one of the computation, as the one that writes an image. None has a signal at its end; but when
// its parent is killed the kernel gives it one, and a new parent, which may be a process of the computation that adopts orphans: that
// one's wrappers of wait pass over it (plugin `pid`). [any] Test: test/faults/killed.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "events/names.h"
#include "sys/syscall.h"

namespace cairn::events {

/// By the process that has made it, and by itself first of all: either may be killed before the other comes to it.
inline void note_own_process(int64_t real_pid) { (void)set_name(CAIRN_NAMES_OWN, real_pid, 1); }
inline void be_own_process() { note_own_process(sys::call(SYS_getpid)); }
/// It was waited for; or a process of the computation has its number.
inline void forget_own_process(int64_t real_pid) { (void)remove_name(CAIRN_NAMES_OWN, real_pid); }
inline bool is_own_process(int64_t real_pid) {
  int64_t any = 0;
  return get_name(CAIRN_NAMES_OWN, real_pid, &any) == 0;
}

}  // namespace cairn::events
