// Owns: the id of a child that fork made (posix_spawn: plugin exec): a number that stands for somebody else here becomes a made one (ids.h).
// vfork returns twice on one stack and cannot be wrapped; wait.cc copes with a child of it that has such a number. [any]
#include <unistd.h>

#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(fork);

void prepare_children() {
  next_fork.get();
}

extern "C" {

CAIRN_EXPORT pid_t fork() noexcept {
  uint32_t before = generation();
  return child_name(next_fork.get()(), before);
}

}  // extern "C"

}  // namespace cairn::pid
