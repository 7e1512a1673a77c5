// Answers requests for the calls of plugins' wrappers (events/traced_calls.h), and ends tracing when nobody asks any more: a coordinator that
// is gone, or that does not know of a process yet, cannot. Context: the agent's thread.
#pragma once
#include "sys/text.h"
#include "wire/channel.h"

namespace cairn::agent {

/// Begins or ends tracing, with no fork under way. Gives how many wraps cannot be traced.
uint32_t take_trace_request(sys::Text body);
/// The answer: the calls since the last one, up to a number, and how many were dropped.
void tell_traced_calls(wire::Channel* channel, uint64_t id, uint32_t untraced);
void look_for_end_of_trace();

}  // namespace cairn::agent
