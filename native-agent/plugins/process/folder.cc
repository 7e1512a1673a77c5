// Owns: the working directory, by its virtual path, and the umask. One that was removed is one without a name again. Test:
// test/probes/files/removed_folder.c.
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>

#include "common/folders.h"
#include "common/text.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

char folder[PATH_MAX];  // virtual
bool removed = false;
int64_t mask = -1;      // -1: this kernel does not tell (before Linux 4.7)

const cairn_paths* paths(const cairn_host* host) {
  const cairn_paths* found = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  return found != nullptr && found->size >= sizeof(cairn_paths) ? found : nullptr;
}

/// Where it was, without what the kernel puts behind the path of a folder that was removed.
long read_removed(const cairn_host* host, char* real, long capacity) {
  constexpr char mark[] = " (deleted)";
  constexpr long length = sizeof mark - 1;
  long size = host->syscall(SYS_readlink, pointer("/proc/thread-self/cwd"), pointer(real), capacity - 1, 0, 0, 0);
  if (size <= length || size >= capacity - 1) return -ENOENT;
  real[size] = 0;
  if (!plugin::same(real + size - length, mark)) return -ENOENT;
  real[size - length] = 0;
  return size - length + 1;
}

int32_t enter_removed(const cairn_host* host) {
  static char real[PATH_MAX];
  int32_t error = plugin::make_removed_folder(host, folder, real, sizeof real);
  if (error == 0) {
    error = static_cast<int32_t>(host->syscall(SYS_chdir, pointer(real), 0, 0, 0, 0, 0));
    host->syscall(SYS_rmdir, pointer(real), 0, 0, 0, 0, 0);
  }
  return error == 0 ? 0 : host->fail(error, folder, "The working directory of the program was removed, and no other one can be made for it.");
}

}  // namespace

int32_t save_folder(const cairn_host* host) {
  // On the stack of Cairn's thread; static, so that it need not be large.
  static char real[PATH_MAX];
  long size = host->syscall(SYS_getcwd, pointer(real), sizeof real, 0, 0, 0, 0);
  removed = size == -ENOENT;
  if (removed) size = read_removed(host, real, sizeof real);
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
  if (removed) return enter_removed(host);
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
