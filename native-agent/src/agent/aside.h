// Work of Cairn's thread that opens descriptors while the application's threads run: in a process on the same memory, which has an empty
// table of descriptors, so that nothing takes the numbers that the application is about to get.
#pragma once
#include "sys/arena.h"

namespace cairn::agent {

/// [running, Cairn's thread] Returns when run(context) has returned. /proc/self is not this process there. Where no process is to be had,
/// or it gets stopped, run is called here, from its beginning.
void run_aside(sys::Arena* arena, void (*run)(void* context), void* context);

}  // namespace cairn::agent
