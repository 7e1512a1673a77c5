// The request of the moment, between Cairn's thread, which gets and gives it up, and the simulation's, which serves it.
#pragma once
#include <stdint.h>

namespace cairn::hdl {

/// Tells one request from another: callbacks that were left behind in the simulator serve none but their own.
uint32_t serving_number();
/// [the simulation's thread] True: the request is there, and nobody else's from now on; no checkpoint comes until it is answered.
bool begin_serving(uint32_t number);
/// [likewise] Between two parts of it a checkpoint may come. False: it has, and nobody waits for the answer any more.
void pause_serving();
bool go_on_serving(uint32_t number);
/// Sends the answer that has been written.
void end_serving();
/// Whether it waits for the simulation: a look that costs nothing.
bool is_waiting(uint32_t number);
/// [the simulation's thread] The request that it serves is a write after which it will be held anyway.
bool holds_soon();
/// [likewise, not while serving] After a write that asked for it: the computation is held, and this returns when it goes on.
void hold_after_write();

}  // namespace cairn::hdl
