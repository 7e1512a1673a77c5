// Owns: whether the process's threads share their table of descriptors and their working folder, as those of any program do that has made
// neither unshare(2) nor clone(2) with flags of its own; and no two processes share one. A restart gives each process one table
// and one folder: anything else is refused. Test: test/probes/refusals.test.ts.
#include <errno.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>

#include "common/text.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

struct Part {
  int kind;  // of kcmp(2)
  const char* name;
};
constexpr Part parts[] = {{KCMP_FILES, "table of descriptors"}, {KCMP_FS, "working directory and umask"}};

/// 0: the same, 1 to 3: another; negative: not to be known, as where the kernel has no kcmp.
long compare(const cairn_host* host, int32_t one, int32_t other, int kind) { return host->syscall(SYS_kcmp, one, other, kind, 0, 0, 0); }

/// A first thread that has ended while others go on: it has nothing any more.
bool has_ended(const cairn_host* host, int32_t thread) {
  if (thread != host->real_pid()) return false;
  plugin::Text<64> path;
  path.add("/proc/").add(int64_t{thread}).add("/stat");
  char text[256] = {};
  int64_t at = plugin::read_file(host, path.text(), text, sizeof text - 1) - 1;
  while (at > 0 && text[at] != ')') --at;
  return at > 0 && (text[at + 2] == 'Z' || text[at + 2] == 'X');
}

int32_t refuse(const cairn_host* host, const Part& part, int32_t thread) {
  plugin::Text<320> text;
  text.add("Thread ").add(thread).add(" has a ").add(part.name);
  text.add(" of its own (unshare), and a restart could give it only that of the process. Checkpoint when it has ended.");
  return host->fail(-ENOTSUP, part.name, text.text());
}

int32_t refuse_shared(const cairn_host* host, const Part& part) {
  plugin::Text<320> text;
  text.add("The process shares its ").add(part.name);
  text.add(" with its parent process (clone), and a restart could only give each its own. Checkpoint when one of them has ended.");
  return host->fail(-ENOTSUP, part.name, text.text());
}

}  // namespace

int32_t check_sharing(const cairn_host* host) {
  int32_t own = static_cast<int32_t>(host->syscall(SYS_gettid, 0, 0, 0, 0, 0, 0));
  int32_t parent = static_cast<int32_t>(host->syscall(SYS_getppid, 0, 0, 0, 0, 0, 0));
  for (const Part& part : parts) {
    int32_t virtual_id, real;
    for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
      if (compare(host, own, real, part.kind) > 0 && !has_ended(host, real)) return refuse(host, part, virtual_id);
    }
    if (compare(host, own, parent, part.kind) == 0) return refuse_shared(host, part);
  }
  return 0;
}

}  // namespace cairn::process
