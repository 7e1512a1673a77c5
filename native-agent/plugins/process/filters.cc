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

/// -1: not told (before Linux 5.9), or the thread has ended.
int64_t filters_of(const cairn_host* host, int32_t thread) {
  static char status[8192];
  plugin::Text<64> path;
  path.add("/proc/self/task/").add(int64_t{thread}).add("/status");
  int64_t count;
  const char* value = plugin::read_file(host, path.text(), status, sizeof status) > 0 ? plugin::line_value(status, "Seccomp_filters:") : nullptr;
  return value != nullptr && plugin::read_number(&value, 10, &count) ? count : -1;
}

}  // namespace

void note_filters(const cairn_host* host) {
  int64_t known;
  if (host->get_name(surroundings, 0, &known) == 0) return;
  int64_t count = filters_of(host, host->real_pid());
  if (count >= 0) (void)host->set_name(surroundings, 0, count);
}

int32_t check_filters(const cairn_host* host) {
  int64_t known;
  if (host->get_name(surroundings, 0, &known) != 0) return 0;
  int32_t virtual_id, real;
  for (uint32_t index = 0; host->thread(index, &virtual_id, &real) == 1; ++index) {
    if (filters_of(host, real) <= known) continue;
    plugin::Text<320> text;
    text.add("Thread ").add(virtual_id).add(" may not make all system calls, by a filter that the program has set (seccomp). No restart could set it again, ");
    text.add("and the program would run without that protection. Checkpoint before it does that, or when it has ended.");
    return host->fail(-ENOTSUP, "seccomp", text.text());
  }
  return 0;
}

}  // namespace cairn::process
