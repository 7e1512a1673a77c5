// Owns: how the application gets the id of an object by its key, and the
// computation knows what it has made. [any] Tests: test/probes (sysv).
#pragma once
#include <sys/ipc.h>

#include "sysv/names.h"

// By the assembler's name: libc's declarations differ in attributes. What applications call only goes on to what is ours alone, which
// syscall(2) calls, too (calls.cc): a library may have put a jump to its own function at the beginning of the former.
#define CAIRN_WRAP(result, name, parameters, arguments)                                      \
  extern "C" __attribute__((visibility("hidden"))) result cairn_sysv_##name parameters;      \
  extern "C" CAIRN_EXPORT result cairn_sysv_exported_##name parameters __asm__(#name);       \
  extern "C" result cairn_sysv_exported_##name parameters { return cairn_sysv_##name arguments; } \
  extern "C" __attribute__((visibility("hidden"), noinline)) result cairn_sysv_##name parameters

namespace cairn::sysv {

inline int get_fails(int error) {
  errno = error;
  return -1;
}

/// The name of what was just made.
inline int made(const Spaces& spaces, int real_id) {
  if (real_id < 0 || host == nullptr) return real_id;
  int32_t id = to_virtual(spaces, real_id);
  host->set_name(spaces.owned, id, host->virtual_pid());
  return id;
}

/// A key that somebody outside has: the kernel's answer would be about theirs.
template <typename Ask, typename Look>
int get_shadowed(const Spaces& spaces, int32_t key, int64_t holder, int flags, Ask ask, Look look) {
  int found = holder == none ? -ENOENT : look(to_real(spaces, static_cast<int32_t>(holder)));
  if (found == 0 && (flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return get_fails(EEXIST);
  if (found == 0) return static_cast<int>(holder);
  if (found == -E2BIG) return get_fails(EINVAL);
  if ((flags & IPC_CREAT) == 0) return get_fails(ENOENT);
  int id = made(spaces, ask(IPC_PRIVATE, flags & ~IPC_EXCL));
  if (id < 0) return id;
  host->set_name(spaces.shadowed, key, id);
  host->set_name(spaces.keys, id, key);
  return id;
}

/// ask(key, flags): the kernel's answer. look(real id): 0: it is there; -E2BIG: smaller than asked for; else it is not.
template <typename Ask, typename Look>
int get(const Spaces& spaces, int32_t key, int flags, Ask ask, Look look) {
  int64_t holder = none;
  if (active() && key != IPC_PRIVATE && host->get_name(spaces.shadowed, key, &holder) == 0) return get_shadowed(spaces, key, holder, flags, ask, look);
  if (key == IPC_PRIVATE || (flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL)) return made(spaces, ask(key, flags));
  if ((flags & IPC_CREAT) == 0) return to_virtual(spaces, ask(key, flags));
  // It is asked for as a new one first.
  for (;;) {
    int id = ask(key, flags | IPC_EXCL);
    if (id >= 0) return made(spaces, id);
    if (errno != EEXIST) return -1;
    id = ask(key, flags & ~IPC_CREAT);
    if (id >= 0 || errno != ENOENT) return to_virtual(spaces, id);
  }
}

}  // namespace cairn::sysv
