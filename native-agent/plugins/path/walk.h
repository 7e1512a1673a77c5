// From what the application passes (a folder's descriptor and a path) to a canonical virtual path: absolute, without ".", ".."
// and "//", symbolic links followed in the virtual view. Any context.
#pragma once
#include "locate.h"
#include "path_text.h"

namespace cairn::path {

enum class Walked {
  kUntouched,  // leave the arguments as they are: no rule can apply, or the kernel should say what is wrong
  kPath,       // `path` is the canonical virtual path
  kProc,       // `path` is the rest of the way in /proc, as it was given
  kError       // `error`
};

struct Walk {
  PathText path;         // "" is the root
  bool crossed = false;  // a rule was used on the way: the arguments as they are would lead elsewhere
  bool folder = false;   // the path had a slash at its end
  bool linked = false;   // a link was followed
  bool located = false;  // the object was looked up on the way
  int error = 0;         // -errno
};

/// follow: also where the last component is a symbolic link. With `out.located`, `found` is what locate() says of the path.
Walked walk(int dirfd, const char *path, bool follow, Walk &out, Found &found);

/// The virtual path of an open folder, or of the working directory for AT_FDCWD. 0 or -errno; `crossed` if a rule was used.
int folder_of(int dirfd, PathText &path, bool &crossed);

}  // namespace cairn::path
