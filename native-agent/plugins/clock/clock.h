// What the parts of the plugin `clock` share.
#pragma once
#include "cairn/plugin.h"

namespace cairn::clock {

extern const cairn_host* host;

}  // namespace cairn::clock
