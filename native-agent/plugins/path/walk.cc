// See walk.h.
//
// A symbolic link that the application left below its working directory and that leads out of it is special: the path's letters
// say that it is below the working directory, so what is written through it belongs into the run folder. Then the link is kept
// as if it were a folder (`escape`). Links in run folders are simply followed: their relative targets are meant from elsewhere.
#include "walk.h"

#include <errno.h>
#include <sys/stat.h>

#include "locate.h"
#include "proc.h"
#include "state.h"
#include "table.h"

namespace cairn::path {
namespace {

constexpr unsigned kMaximumLinks = 40;

const char *component_end(const char *text) {
  while (*text != 0 && *text != '/') ++text;
  return text;
}

const char *skip_slashes(const char *text) {
  while (*text == '/') ++text;
  return text;
}

bool is_dot(const char *name, size_t length) { return length == 1 && name[0] == '.'; }
bool is_dot_dot(const char *name, size_t length) { return length == 2 && name[0] == '.' && name[1] == '.'; }

/// Moves everything up to the end of the longest rule that the path begins with, by its letters, from `rest` to `out`: what a
/// rule names need not exist on this host, and is not looked into.
const char *jump(PathText &out, const char *rest, PathText &scratch) {
  if (!scratch.assign(out)) return rest;
  size_t best_length = 0;
  const char *best_rest = rest;
  for (const char *next = skip_slashes(rest); *next != 0; next = skip_slashes(next)) {
    const char *end = component_end(next);
    size_t length = static_cast<size_t>(end - next);
    if (is_dot_dot(next, length)) break;
    if (!is_dot(next, length)) {
      if (!scratch.append_component(next, length)) break;
      bool last = *skip_slashes(end) == 0;
      if (is_rule_root(scratch) || (last && find(Kind::kFile, scratch.text, scratch.length) != nullptr)) {
        best_length = scratch.length;
        best_rest = end;
      }
    }
    next = end;
  }
  if (best_length == 0) return rest;
  scratch.cut(best_length);
  return out.assign(scratch) ? best_rest : rest;
}

/// Appends what is left by its letters; false if that cannot be done ("..", too long).
bool append_rest(PathText &out, const char *rest) {
  if (has_parent_component(rest)) return false;
  for (rest = skip_slashes(rest); *rest != 0;) {
    const char *end = component_end(rest);
    size_t length = static_cast<size_t>(end - rest);
    if (!is_dot(rest, length) && !out.append_component(rest, length)) return false;
    rest = skip_slashes(end);
  }
  return true;
}

/// Puts a link's target in front of what is left in `rest`; the new rest, or null when it gets too long.
const char *expand_link(const char *real, PathText &rest, const char *left, PathText &scratch, int &error) {
  long length = sys(SYS_readlinkat, AT_FDCWD, real, scratch.text, PathText::size - 1);
  if (length < 0) {
    error = static_cast<int>(length);
    return nullptr;
  }
  scratch.cut(static_cast<size_t>(length));
  if (!scratch.append("/", 1) || !scratch.append(left) || !rest.assign(scratch)) {
    error = -ENAMETOOLONG;
    return nullptr;
  }
  return rest.text;
}

}  // namespace

int folder_of(int dirfd, PathText &path, bool &crossed) {
  PathText real;
  long length;
  if (dirfd == AT_FDCWD) {
    length = sys(SYS_getcwd, real.text, PathText::size);
    if (length > 0) --length;  // the terminating zero
  } else {
    if (dirfd < 0) return -EBADF;
    PathText link;
    if (!link.assign("/proc/thread-self/fd/", 21) || !link.append_number(static_cast<uint64_t>(dirfd))) return -ENAMETOOLONG;
    length = sys(SYS_readlinkat, AT_FDCWD, link.text, real.text, PathText::size - 1);
  }
  if (length < 0) return static_cast<int>(length);
  real.cut(static_cast<size_t>(length));
  if (real.text[0] != '/') return -ENOENT;  // not a folder, or one that cannot be reached
  if (is_below(real.text, real.length, "/proc", 5)) return proc_to_virtual(real, path, crossed);
  if (int error = to_virtual(real.text, real.length, path)) return error;
  if (!path.equals(real.text, real.length)) crossed = true;
  return 0;
}

Walked walk(int dirfd, const char *path, bool follow, Walk &out, Found &found) {
  if (path == nullptr || path[0] == 0) return Walked::kUntouched;
  size_t given = strnlen(path, PATH_MAX);
  if (given >= PATH_MAX) return Walked::kUntouched;
  out.folder = path[given - 1] == '/';
  if (path[0] == '/') {
    out.path.clear();
  } else {
    if (folder_of(dirfd, out.path, out.crossed) != 0) return Walked::kUntouched;
    if (out.path.equals("/")) out.path.clear();
  }

  PathText rest_buffer, scratch, escape;
  bool escaped = false;
  unsigned links = 0;
  (void)rest_buffer.assign(path, given);
  const char *rest = jump(out.path, rest_buffer.text, scratch);
  for (rest = skip_slashes(rest); *rest != 0; rest = skip_slashes(rest)) {
    if (is_below(out.path.text, out.path.length, "/proc", 5) && out.path.length >= 5) {
      const char *beyond = beyond_own_cwd(out.path, rest);
      if (beyond != nullptr && *skip_slashes(beyond) != 0) {
        if (folder_of(AT_FDCWD, out.path, out.crossed) != 0) return Walked::kUntouched;
        if (out.path.equals("/")) out.path.clear();
        rest = beyond;
        continue;
      }
      if (!out.path.append("/", 1) || !out.path.append(rest)) return Walked::kUntouched;
      return Walked::kProc;
    }
    const char *end = component_end(rest);
    size_t length = static_cast<size_t>(end - rest);
    if (is_dot(rest, length) || is_dot_dot(rest, length)) {
      if (length == 2) out.path.pop();
      out.located = false;
      rest = end;
      continue;
    }
    size_t parent = out.path.length;
    out.located = false;
    if (!out.path.append_component(rest, length)) return Walked::kUntouched;
    rest = end;
    bool last = *skip_slashes(rest) == 0;
    if (out.path.equals("/proc")) continue;
    if (last && !follow && !out.folder) break;
    if (locate(out.path, found) != 0) return Walked::kUntouched;
    if (found.where != Where::kNone && !found.real.equals(out.path.text, out.path.length)) out.crossed = true;
    if (found.where == Where::kAbsent) out.crossed = true;
    out.located = last;
    if (found.error != 0 || found.where == Where::kAbsent) {
      if (last) break;
      if (append_rest(out.path, rest)) break;
      out.error = found.error != 0 ? found.error : -ENOENT;
      return Walked::kError;
    }
    if (!S_ISLNK(found.mode)) {
      if (last || S_ISDIR(found.mode)) continue;
      out.error = -ENOTDIR;
      return Walked::kError;
    }
    out.located = false;
    out.linked = true;
    if (++links > kMaximumLinks) {
      out.error = -ELOOP;
      return Walked::kError;
    }
    if (!escaped && found.where == Where::kLower && found.layer == Found::kOriginal)
      escaped = escape.assign(out.path) && append_rest(escape, rest);
    rest = expand_link(found.real.text, rest_buffer, rest, scratch, out.error);
    if (rest == nullptr) return Walked::kError;
    out.path.cut(rest[0] == '/' ? 0 : parent);
    rest = jump(out.path, rest, scratch);
  }
  if (escaped && top_layer(out.path) < 0 && find(Kind::kFile, out.path.text, out.path.length) == nullptr) {
    out.located = false;
    if (!out.path.assign(escape)) return Walked::kUntouched;
  }
  return Walked::kPath;
}

}  // namespace cairn::path
