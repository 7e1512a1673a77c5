// Answers requests for the calls of plugins' wrappers (events/traced_calls.h), and ends tracing when nobody asks any more: a coordinator that
// is gone, or that does not know of a process yet, cannot. Context: the agent's thread.
#pragma once
#include "sys/text.h"
#include "wire/channel.h"

namespace cairn::agent {

void answer_trace_request(wire::Channel* channel, uint64_t id, sys::Text body);
void look_for_end_of_trace();

}  // namespace cairn::agent
