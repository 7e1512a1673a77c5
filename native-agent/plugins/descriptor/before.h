// What each descriptor stood for before the last restart, for the table "fd". In the image: what a checkpoint notes is there at the
// restart, and stays until the next one. Test: test/probes/tables.test.ts.
#pragma once
#include <sys/stat.h>

#include "descriptor/table.h"

namespace cairn::descriptor {

/// [quiesced] The table has been filled.
void note_names();
/// [restoring] All descriptors are back.
void note_restart();
/// [running, quiesced] The kernel's name of before, or nullptr: it was opened since, or there was no restart.
const char* name_before(int32_t number, const struct stat64& status);
uint64_t restarted_since();

}  // namespace cairn::descriptor
