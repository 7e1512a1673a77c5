// Interposes on the working directory: the kernel's is the real folder, the application sees the virtual one.
#include "known.h"
#include "wrap.h"

#include <stdlib.h>
#include <unistd.h>

using namespace cairn::path;

namespace {

/// Goes to another folder by libc's function. What is known of the old one must be used neither before nor after it returns.
template <typename Call>
int change_folder(Call call) {
  forget_known();
  int result = call();
  forget_known();
  return result;
}

/// The virtual working directory; false: libc's function gives the right answer.
bool virtual_folder(PathText &path) {
  bool crossed = false;
  return folder_of(AT_FDCWD, path, crossed) == 0 && crossed;
}

}  // namespace

WRAP(int, chdir, const char *path) {
  if (inactive()) return NEXT(chdir)(path);
  Target target;
  if (failed(target.look_folder(AT_FDCWD, path))) return -1;
  return change_folder([&] { return NEXT(chdir)(target.path); });
}

WRAP(int, fchdir, int folder) {
  if (inactive()) return NEXT(fchdir)(folder);
  return change_folder([&] { return NEXT(fchdir)(folder); });
}

WRAP(char *, getcwd, char *buffer, size_t size) {
  if (inactive()) return NEXT(getcwd)(buffer, size);
  PathText path;
  if (!virtual_folder(path)) return NEXT(getcwd)(buffer, size);
  if (size == 0 && buffer != nullptr) {
    errno = EINVAL;
    return nullptr;
  }
  size_t needed = path.length + 1u;
  if (size != 0 && size < needed) {
    errno = ERANGE;
    return nullptr;
  }
  if (buffer == nullptr) buffer = static_cast<char *>(malloc(size != 0 ? size : needed));
  if (buffer != nullptr) memcpy(buffer, path.text, needed);
  return buffer;
}

WRAP(char *, __getcwd_chk, char *buffer, size_t size, size_t room) {
  if (inactive() || room < size) return NEXT(__getcwd_chk)(buffer, size, room);
  return cairn_wrap_getcwd(buffer, size);
}

WRAP(char *, getwd, char *buffer) {
  if (inactive() || buffer == nullptr) return NEXT(getwd)(buffer);
  return cairn_wrap_getcwd(buffer, PATH_MAX);
}

WRAP(char *, __getwd_chk, char *buffer, size_t room) {
  if (inactive() || room < PATH_MAX) return NEXT(__getwd_chk)(buffer, room);
  return cairn_wrap_getcwd(buffer, PATH_MAX);
}

WRAP(char *, get_current_dir_name, void) {
  if (inactive()) return NEXT(get_current_dir_name)();
  PathText path;
  if (!virtual_folder(path)) return NEXT(get_current_dir_name)();
  return strdup(path.text);
}
