// libc's functions below this plugin's wrappers. [any] Looked up in init, or by the first call before that.
#pragma once

#include "cairn/plugin.h"
#include "common/next.h"

#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace cairn::exec {

extern const cairn_host* host;

template <typename Function>
using Next = plugin::Next<host, Function>;

void prepare();
int32_t publish_streams();

}  // namespace cairn::exec
