// Owns: filters of system calls (seccomp) that the computation has given itself. Nobody may read them, so that no restart could set them again,
// and a sandbox would be lost without a word: a checkpoint is refused. Not those with which the computation was started (by a container, or
// `cairn run --strict`), which are its surroundings: how many these are is in the shared names.
// Test: test/probes/refusals.test.ts, strict.test.ts.
#include <errno.h>

#include "common/handles.h"
#include "common/text.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

constexpr uint32_t surroundings = plugin::name_space("process.filters");  // 0 → number of filters

constexpr int64_t not_told = -1;  // before Linux 5.9, or the thread has ended

/// Part of the image: the main thread's at the checkpoint.
int64_t saved_count = not_told;

/// False: it cannot be read.
bool filters_of(const cairn_host* host, int32_t thread, int64_t* count) {
  static char status[64 * 1024];  // the groups of a user may be thousands
  plugin::Text<64> path;
  path.add("/proc/self/task/").add(int64_t{thread}).add("/status");
  *count = not_told;
  const long size = plugin::read_file(host, path.text(), status, sizeof status);
  if (size <= 0) return size == -ENOENT || size == -ESRCH;
  const char* value = plugin::line_value(status, "Seccomp_filters:");
  return value == nullptr || plugin::read_number(&value, 10, count);
}

}  // namespace

void note_filters(const cairn_host* host) {
  int64_t known;
  if (host->get_name(surroundings, 0, &known) == 0) return;
  int64_t count;
  if (filters_of(host, host->real_pid(), &count) && count >= 0) (void)host->set_name(surroundings, 0, count);
}

int32_t check_filters(const cairn_host* host) {
  int64_t known, count;
  const bool told = host->get_name(surroundings, 0, &known) == 0;
  int32_t virtual_id, real;
  saved_count = not_told;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
    plugin::Text<320> text;
    if (!filters_of(host, real, &count)) {
      text.add("What the kernel says of thread ").add(virtual_id).add(" (/proc/…/status) cannot be read: whether the program has set filters of system calls ");
      text.add("(seccomp), which no restart could set again, is not known.");
      return host->fail(-ENOTSUP, "seccomp", text.text());
    }
    // What --strict forbids is no protection of the program's.
    if (real == host->real_pid()) saved_count = plugin::option(host, "strict") != nullptr ? count - 1 : count;
    if (!told || count <= known) continue;
    text.add("Thread ").add(virtual_id).add(" may not make all system calls, by a filter that the program has set (seccomp). No restart could set it again, ");
    text.add("and the program would run without that protection. Checkpoint before it does that, or when it has ended.");
    return host->fail(-ENOTSUP, "seccomp", text.text());
  }
  return 0;
}

void compare_filters(const cairn_host* host) {
  int64_t here;
  if (!filters_of(host, host->real_pid(), &here) || here < 0 || saved_count <= here) return;
  host->log(CAIRN_LOG_WARNING, "The program was started with system calls forbidden by a filter (seccomp) that is not here; after this restart they are allowed.");
}

}  // namespace cairn::process
