// Owns: ids of CPU-time clocks, which hold the id of a process or thread.
#pragma once
#include <stdint.h>
#include <time.h>

namespace cairn::pid {

/// The kernel's name for such a clock, and the application's; every other clock comes out as it went in. [any]
clockid_t real_clock(clockid_t clock);
clockid_t virtual_clock(clockid_t clock);

}  // namespace cairn::pid
