// Owns: the working directory, by its virtual path, and the umask.
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>

#include "common/text.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

char folder[PATH_MAX];  // virtual
int64_t mask = -1;      // -1: this kernel does not tell (before Linux 4.7)

const cairn_paths* paths(const cairn_host* host) {
  const cairn_paths* found = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  return found != nullptr && found->size >= sizeof(cairn_paths) ? found : nullptr;
}

}  // namespace

int32_t save_folder(const cairn_host* host) {
  // On the stack of Cairn's thread; static, so that it need not be large.
  static char real[PATH_MAX];
  long size = host->syscall(SYS_getcwd, pointer(real), sizeof real, 0, 0, 0, 0);
  if (size == -ENOENT) {
    return host->fail(-ENOENT, "working directory", "The working directory of the program has been deleted, so that no restart could return to it. Let the program change to another directory.");
  }
  if (size < 0) return host->fail(static_cast<int32_t>(size), "working directory", "The working directory could not be read (getcwd).");
  if (real[0] != '/') return host->fail(-ENOENT, real, "The working directory lies outside of the root directory of the program.");
  const cairn_paths* names = paths(host);
  int32_t length = names != nullptr ? names->to_virtual(real, folder, sizeof folder) : -ENOSYS;
  if (length < 0) {
    for (long at = 0; at < size; ++at) folder[at] = real[at];
  }

  static char status[8192];
  mask = -1;
  if (plugin::read_file(host, "/proc/thread-self/status", status, sizeof status) > 0) {
    const char* value = plugin::line_value(status, "Umask:");
    if (value == nullptr || !plugin::read_number(&value, 8, &mask)) mask = -1;
  }
  return 0;
}

int32_t restore_folder(const cairn_host* host) {
  if (mask >= 0) host->syscall(SYS_umask, mask, 0, 0, 0, 0, 0);
  static char real[PATH_MAX];
  const cairn_paths* names = paths(host);
  int32_t length = names != nullptr ? names->to_real(folder, real, sizeof real) : -ENOSYS;
  const char* target = length < 0 ? folder : real;
  long error = host->syscall(SYS_chdir, pointer(target), 0, 0, 0, 0, 0);
  if (error == 0) return 0;
  plugin::Text<PATH_MAX + 256> text;
  text.add("The working directory of the program ").add(error == -EACCES ? "may not be entered" : "is not there").add(": ").add(target);
  text.add(". Create it, or name another one: cairn restart --path ").add(folder).add("=NEW.");
  return host->fail(static_cast<int32_t>(error), target, text.text());
}

}  // namespace cairn::process
