// Owns: the id of a child that fork or posix_spawn made: a number that stands for somebody else here becomes a made one (ids.h).
// vfork returns twice on one stack and cannot be wrapped; wait.cc copes with a child of it that has such a number. [any]
#include <spawn.h>
#include <unistd.h>

#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(fork);
CAIRN_PID_NEXT(posix_spawn);
CAIRN_PID_NEXT(posix_spawnp);

void prepare_children() {
  next_fork.get();
  next_posix_spawn.get();
  next_posix_spawnp.get();
}

extern "C" {

CAIRN_EXPORT pid_t fork() noexcept {
  pid_t child = next_fork.get()();
  return child > 0 && active() ? to_virtual(Space::id, child) : child;
}

CAIRN_EXPORT int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                             char* const arguments[], char* const environment[]) {
  int error = next_posix_spawn.get()(pid, path, actions, attributes, arguments, environment);
  if (error == 0 && pid != nullptr && active()) *pid = to_virtual(Space::id, *pid);
  return error;
}

CAIRN_EXPORT int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                              char* const arguments[], char* const environment[]) {
  int error = next_posix_spawnp.get()(pid, file, actions, attributes, arguments, environment);
  if (error == 0 && pid != nullptr && active()) *pid = to_virtual(Space::id, *pid);
  return error;
}

}  // extern "C"

}  // namespace cairn::pid
