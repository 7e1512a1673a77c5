// Messages for the session's log from any thread: they wait in a ring that the agent's thread empties.
#pragma once
#include "wire/channel.h"

namespace cairn::agent {

/// [any] Drops the message when 64 are waiting.
void log(uint32_t level, const char* text);
/// The agent's thread.
void send_log(wire::Channel* channel);
/// In a restarted process: what the run before has said itself.
void forget_log();

}  // namespace cairn::agent
