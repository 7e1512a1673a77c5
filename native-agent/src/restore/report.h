// How the restorer says why it gives up. Context: restorer, every stage.
#pragma once
#include "sys/text.h"

namespace cairn::restore {

/// Where failures are written besides standard error; nullptr: nowhere.
void report_to(const char* path);
/// Says what failed (with the name of `error`, a negative errno, when it is not 0) and ends the process with status 1.
[[noreturn]] void give_up(sys::Text what, long error = 0);

}  // namespace cairn::restore
