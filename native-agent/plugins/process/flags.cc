// Owns: what prctl(2), membarrier(2) and /proc set for the whole process: dumpable, sub-reaper of children, huge pages, readiness to be
// killed, what a core dump holds, registrations for memory barriers.
// Not set again here, because the kernel lets only the thread itself do it: no_new_privs and personality, which can be seen from
// outside. What is lost of them is said in the log.
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "common/text.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

// Linux 6.4; libc's headers may be older.
constexpr long set_memory_merge = 67, get_memory_merge = 68;

// Linux 6.3.
constexpr long get_registrations = 1 << 9;

/// Of membarrier(2): what registers a process, and what is then allowed; the first as the kernel tells registrations.
struct Barrier {
  int64_t registers;
  long allowed;  // fails without; 0: never fails
};
constexpr Barrier barriers[] = {
    {MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0},
    {MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, MEMBARRIER_CMD_PRIVATE_EXPEDITED},
    {MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE},
    {MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ},
};

struct Flags {
  int64_t dumpable;
  int64_t subreaper;
  int64_t huge_pages_off;
  int64_t merges;         // memory with equal content (PR_SET_MEMORY_MERGE)
  int64_t out_of_memory;  // oom_score_adj
  int64_t no_new_privs;   // of the main thread
  int64_t personality;    // of the main thread
  int64_t dump_filter;    // what of the memory a core dump holds
  int64_t barriers;       // registrations of membarrier(2)
};
// -1: unknown; oom_score_adj: see out_of_memory_known.
Flags saved = {-1, -1, -1, -1, 0, -1, -1, -1, 0};
bool out_of_memory_known = false;

int64_t read_value(const cairn_host* host, const char* path, unsigned base, int64_t unknown, bool* known = nullptr) {
  char text[64];
  int64_t value;
  const char* at = text;
  bool found = plugin::read_file(host, path, text, sizeof text) > 0 && plugin::read_number(&at, base, &value);
  if (known != nullptr) *known = found;
  return found ? value : unknown;
}

void main_task(const cairn_host* host, const char* file, plugin::Text<64>* path) {
  path->add("/proc/self/task/").add(host->real_pid()).add("/").add(file);
}

int64_t read_barriers(const cairn_host* host) {
  long told = host->syscall(SYS_membarrier, get_registrations, 0, 0, 0, 0, 0);
  if (told >= 0) return told;
  // Before, only by trying them. Who is not registered for barriers of others does not lose what he relies on himself.
  int64_t found = 0;
  for (const Barrier& barrier : barriers) {
    if (barrier.allowed != 0 && host->syscall(SYS_membarrier, barrier.allowed, 0, 0, 0, 0, 0) == 0) found |= barrier.registers;
  }
  return found;
}

Flags read_flags(const cairn_host* host, bool* known) {
  Flags flags;
  flags.dumpable = host->syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0, 0);
  int subreaper = 0;
  flags.subreaper = host->syscall(SYS_prctl, PR_GET_CHILD_SUBREAPER, pointer(&subreaper), 0, 0, 0, 0) == 0 ? subreaper : -1;
  flags.huge_pages_off = host->syscall(SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0, 0);
  flags.merges = host->syscall(SYS_prctl, get_memory_merge, 0, 0, 0, 0, 0);
  flags.out_of_memory = read_value(host, "/proc/self/oom_score_adj", 10, 0, known);
  flags.dump_filter = read_value(host, "/proc/self/coredump_filter", 16, -1);
  flags.barriers = read_barriers(host);
  plugin::Text<64> status_path;
  main_task(host, "status", &status_path);
  static char status[8192];
  flags.no_new_privs = -1;
  if (plugin::read_file(host, status_path.text(), status, sizeof status) > 0) {
    const char* value = plugin::line_value(status, "NoNewPrivs:");
    if (value == nullptr || !plugin::read_number(&value, 10, &flags.no_new_privs)) flags.no_new_privs = -1;
  }
  plugin::Text<64> personality_path;
  main_task(host, "personality", &personality_path);
  flags.personality = read_value(host, personality_path.text(), 16, -1);
  return flags;
}

void warn(const cairn_host* host, const char* text) { host->log(CAIRN_LOG_WARNING, text); }

}  // namespace

int32_t save_flags(const cairn_host* host) {
  saved = read_flags(host, &out_of_memory_known);
  return 0;
}

int32_t restore_flags(const cairn_host* host) {
  bool known;
  Flags here = read_flags(host, &known);
  if (saved.subreaper >= 0 && saved.subreaper != here.subreaper) {
    host->syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, saved.subreaper, 0, 0, 0, 0);
  }
  if (saved.huge_pages_off >= 0 && saved.huge_pages_off != here.huge_pages_off) {
    host->syscall(SYS_prctl, PR_SET_THP_DISABLE, saved.huge_pages_off, 0, 0, 0, 0);
  }
  if (saved.merges >= 0 && saved.merges != here.merges) host->syscall(SYS_prctl, set_memory_merge, saved.merges, 0, 0, 0, 0);
  for (const Barrier& barrier : barriers) {
    if ((saved.barriers & barrier.registers) != 0) host->syscall(SYS_membarrier, barrier.registers, 0, 0, 0, 0, 0);
  }
  if (saved.dump_filter >= 0 && here.dump_filter >= 0 && saved.dump_filter != here.dump_filter) {
    plugin::Text<32> value;
    value.add(saved.dump_filter);
    plugin::write_file(host, "/proc/self/coredump_filter", value.text());
  }
  if (out_of_memory_known && known && saved.out_of_memory != here.out_of_memory) {
    plugin::Text<32> value;
    value.add(saved.out_of_memory);
    if (plugin::write_file(host, "/proc/self/oom_score_adj", value.text()) < 0) {
      plugin::Text<160> text;
      text.add("oom_score_adj: ").add(here.out_of_memory).add(" here; the program had ").add(saved.out_of_memory);
      text.add(". To lower it needs CAP_SYS_RESOURCE.");
      warn(host, text.text());
    }
  }
  if (saved.no_new_privs == 1 && here.no_new_privs == 0) {
    warn(host, "The program had given up the right to gain privileges by exec (no_new_privs); after this restart it has it again.");
  }
  if (saved.personality >= 0 && here.personality >= 0 && ((saved.personality ^ here.personality) & READ_IMPLIES_EXEC) != 0) {
    warn(host, "The program's personality (READ_IMPLIES_EXEC) could not be set again: new memory is executable only where it asks for it.");
  }
  // 2 is the kernel's own, for programs that change their user: it cannot be asked for.
  if ((saved.dumpable == 0 || saved.dumpable == 1) && saved.dumpable != here.dumpable) {
    host->syscall(SYS_prctl, PR_SET_DUMPABLE, saved.dumpable, 0, 0, 0, 0);
  }
  return 0;
}

}  // namespace cairn::process
