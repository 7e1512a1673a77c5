// The built-in plugins, layer 0 first: what a higher one asks of the kernel goes through the lower ones' virtual names.
#pragma once
#include <cairn/plugin.h>

namespace cairn::events {

/// Ends with nullptr.
const cairn_plugin* const* builtin_plugins();

}  // namespace cairn::events
