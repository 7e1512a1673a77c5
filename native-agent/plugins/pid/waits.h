// Waits that were under way at the checkpoint.
#pragma once

namespace cairn::pid {

/// When all processes have told their ids. [restoring]
void correct_waits();

}  // namespace cairn::pid
