// The process's environment in memory: giving variables new values while no thread runs, and reading it while threads do.
// The pointer array stays where it is, see apply.cc and places.h.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "cairn/plugin.h"

namespace cairn::env {

/// What the last restart (or the start) did to one variable.
struct Change {
  const char *name;
  const char *before;  // null: there was none
  bool removed;
  bool stands;          // the array was left as it is
  uint64_t since_ns;
};

/// [init, restoring] Applies the settings to `environ`, in place of the changes that an earlier restart noted. 0 or -errno, after
/// host->fail.
int32_t apply(const cairn_host *host, bool restarted);
/// [running, quiesced] All variables, and the ones that were removed, as rows of the table "env".
void emit_rows(const cairn_host *host, cairn_emit_row emit, void *context);

}  // namespace cairn::env
