// Interposes on the functions that make a file or folder with a new name from a template: libc's works on the real path, and
// what it put in place of XXXXXX goes into the caller's template.
#include "own.h"
#include "wrap.h"

#include <stdlib.h>

using namespace cairn::path;

namespace {

/// The name that was put in place of XXXXXX; the template's was told before.
void tell_made(const PathText &pattern, const char *letters, size_t after) {
  PathText made;
  if (!made.assign(pattern) || made.length < after) return;
  memcpy(made.text + made.length - after, letters, 6);
  tell_own(made);
}

template <typename Result, typename Call>
Result make_temporary(char *pattern, int suffix, Result failure, Call call) {
  Target target;
  if (failed(target.create(AT_FDCWD, pattern))) return failure;
  if (!target.touched()) return call(pattern);
  PathText real;
  if (!real.assign(target.path, strlen(target.path))) {
    errno = ENAMETOOLONG;
    return failure;
  }
  Result result = call(real.text);
  size_t length = strlen(pattern);
  size_t changed = 6u + static_cast<size_t>(suffix);
  if (result != failure && suffix >= 0 && length >= changed && real.length >= changed) {
    memcpy(pattern + length - changed, real.text + real.length - changed, 6);
    if (target.overlaid()) tell_made(target.virtual_path(), pattern + length - changed, changed);
  }
  return result;
}

}  // namespace

#define WRAP_TEMPORARY(name)                                                                                              \
  WRAP(int, name, char *pattern) {                                                                                        \
    if (inactive()) return NEXT(name)(pattern);                                                                           \
    return make_temporary(pattern, 0, -1, [](char *real) { return NEXT(name)(real); });                                   \
  }
WRAP_TEMPORARY(mkstemp)
WRAP_TEMPORARY(mkstemp64)

#define WRAP_TEMPORARY_FLAGS(name)                                                                                        \
  WRAP(int, name, char *pattern, int flags) {                                                                             \
    if (inactive()) return NEXT(name)(pattern, flags);                                                                    \
    return make_temporary(pattern, 0, -1, [flags](char *real) { return NEXT(name)(real, flags); });                       \
  }
WRAP_TEMPORARY_FLAGS(mkostemp)
WRAP_TEMPORARY_FLAGS(mkostemp64)

#define WRAP_TEMPORARY_SUFFIX(name)                                                                                       \
  WRAP(int, name, char *pattern, int suffix) {                                                                            \
    if (inactive()) return NEXT(name)(pattern, suffix);                                                                   \
    return make_temporary(pattern, suffix, -1, [suffix](char *real) { return NEXT(name)(real, suffix); });                \
  }
WRAP_TEMPORARY_SUFFIX(mkstemps)
WRAP_TEMPORARY_SUFFIX(mkstemps64)

#define WRAP_TEMPORARY_SUFFIX_FLAGS(name)                                                                                 \
  WRAP(int, name, char *pattern, int suffix, int flags) {                                                                 \
    if (inactive()) return NEXT(name)(pattern, suffix, flags);                                                            \
    return make_temporary(pattern, suffix, -1, [=](char *real) { return NEXT(name)(real, suffix, flags); });              \
  }
WRAP_TEMPORARY_SUFFIX_FLAGS(mkostemps)
WRAP_TEMPORARY_SUFFIX_FLAGS(mkostemps64)

WRAP(char *, mkdtemp, char *pattern) {
  if (inactive()) return NEXT(mkdtemp)(pattern);
  char *made = make_temporary(pattern, 0, static_cast<char *>(nullptr), [](char *real) { return NEXT(mkdtemp)(real); });
  return made != nullptr ? pattern : nullptr;
}

WRAP(char *, mktemp, char *pattern) {
  if (inactive()) return NEXT(mktemp)(pattern);
  (void)make_temporary(pattern, 0, static_cast<char *>(nullptr), [pattern](char *real) {
    NEXT(mktemp)(real);
    if (real[0] == 0) pattern[0] = 0;  // no name could be made
    return real[0] != 0 ? real : nullptr;
  });
  return pattern;
}
