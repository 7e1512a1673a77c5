// How this plugin interposes: WRAP defines the exported symbol that precedes libc's, NEXT is libc's (or whatever comes after us).
// The symbol is given as an assembler label, so that neither libc's declarations (which redirect, and mark arguments as never
// null) nor its attributes get in the way. All NEXTs are looked up at init, because dlsym must not run in a signal handler;
// a wrapper that is called before that, by another library's constructor, looks up its own.
//
// The shape of every wrapper: `if (inactive()) return NEXT(f)(arguments);`, which compiles to a flag test and a jump.
#pragma once
#include "path_text.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "state.h"
#include "target.h"

namespace cairn::path {

struct NextFunction {
  const char *name;
  void *function;
};

/// Looks one up and remembers it. Ends the process if there is none: its caller was linked against it.
void *find_next(NextFunction &next);
/// Looks all up that are there.
void find_all_next();

inline void *next_function(NextFunction &next) {
  void *function = __atomic_load_n(&next.function, __ATOMIC_RELAXED);
  return __builtin_expect(function != nullptr, 1) ? function : find_next(next);
}

/// One that there may not be: null.
void *next_if_there(NextFunction &next);

/// For a Target's result: sets errno; true: fail.
inline bool failed(int error) {
  if (error >= 0) return false;
  errno = -error;
  return true;
}

}  // namespace cairn::path

#define WRAP(result, name, ...)                                                                                  \
  extern "C" __attribute__((visibility("default"))) result cairn_wrap_##name(__VA_ARGS__) __asm__(#name);         \
  static cairn::path::NextFunction cairn_next_##name __attribute__((section("cairn_path_next"), used)) = {#name, nullptr}; \
  extern "C" result cairn_wrap_##name(__VA_ARGS__)

#define NEXT(name) reinterpret_cast<decltype(&cairn_wrap_##name)>(cairn::path::next_function(cairn_next_##name))
#define NEXT_IF_THERE(name) reinterpret_cast<decltype(&cairn_wrap_##name)>(cairn::path::next_if_there(cairn_next_##name))
