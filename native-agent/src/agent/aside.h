// Work of Cairn's thread that opens descriptors while the application's threads run: in a thread of its own, which has an empty table of
// descriptors, so that nothing takes the numbers that the application is about to get.
#pragma once
#include "sys/arena.h"
#include "sys/context.h"

namespace cairn::agent {

/// [running] Returns when run(context) has returned. pointers: of the calling thread, which is Cairn's. Where no thread is to be had, run
/// is called here.
void run_aside(sys::Arena* arena, const sys::processor::ThreadPointers& pointers, void (*run)(void* context), void* context);

}  // namespace cairn::agent
