// getenv() and its kin. The first is whole here, as simple as libc's: whoever replaces malloc may ask for a variable before libc could
// be asked for its own function. The others tell history.h what the program sets itself. [any]
// Test: test/probes/environment.test.ts.
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "cairn/plugin.h"
#include "history.h"

extern "C" char **environ;

namespace cairn::env {
namespace {

/// libc's, looked for when it is first called.
template <typename Function>
Function *next(Function **place, const char *name) {
  Function *found = __atomic_load_n(place, __ATOMIC_RELAXED);
  if (found != nullptr) return found;
  found = reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
  __atomic_store_n(place, found, __ATOMIC_RELAXED);
  return found;
}

char *find(const char *name) {
  size_t length = strlen(name);
  char *value = nullptr;
  for (char **entry = environ; length != 0 && entry != nullptr && *entry != nullptr; ++entry)
    if (**entry == *name && strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
      value = *entry + length + 1;
      break;
    }
  return const_cast<char *>(value_now(name, value));
}

}  // namespace

extern "C" {

CAIRN_EXPORT char *getenv(const char *name) noexcept { return find(name); }
CAIRN_EXPORT char *secure_getenv(const char *name) noexcept { return getauxval(AT_SECURE) != 0 ? nullptr : find(name); }

CAIRN_EXPORT int setenv(const char *name, const char *value, int overwrite) noexcept {
  static int (*libcs)(const char *, const char *, int);
  if (name != nullptr && overwrite == 0 && find(name) != nullptr) return 0;
  int result = next(&libcs, "setenv")(name, value, 1);
  if (result == 0) forget(name);
  return result;
}

CAIRN_EXPORT int unsetenv(const char *name) noexcept {
  static int (*libcs)(const char *);
  int result = next(&libcs, "unsetenv")(name);
  if (result == 0) forget(name);
  return result;
}

CAIRN_EXPORT int putenv(char *string) noexcept {
  static int (*libcs)(char *);
  int result = next(&libcs, "putenv")(string);
  if (result == 0) forget(string);
  return result;
}

CAIRN_EXPORT int clearenv() noexcept {
  static int (*libcs)();
  int result = next(&libcs, "clearenv")();
  forget(nullptr);
  return result;
}

}  // extern "C"
}  // namespace cairn::env
