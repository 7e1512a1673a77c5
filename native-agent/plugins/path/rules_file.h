// The rules of a restarted computation for programs that are executed in it: they begin with an empty memory, and read what the
// first process wrote beside the session's sockets. Context: restoring (write), init (read). Test: test/probes/processes.
#pragma once
#include <stdint.h>

namespace cairn::path {

/// 0, or -errno; without a session's folder there is nobody to write for.
int32_t write_rules();
/// Takes the rules over, if there are any.
void read_rules();

}  // namespace cairn::path
