#include "agent/traced_calls.h"

#include <cairn/plugin.h>

#include "agent.pb.h"
#include "agent/operation.h"
#include "events/traced_calls.h"
#include "events/wraps.h"
#include "sys/futex.h"

namespace cairn::agent {
namespace {

constexpr uint64_t patience_ns = 5'000'000'000;
/// Told in one answer. Threads may make calls faster than they can be told, and whoever else waits for the agent is to have a turn.
constexpr uint32_t most_told = 4096;
uint64_t asked_ns = 0;  // 0: nothing is traced

bool send_call(wire::Channel* channel, uint64_t id, const events::WrapperCall& call, uint64_t since_boot_ns) {
  sys::Text plugin(call.plugin), function(call.function);
  cairn_agent_TracedCall message = cairn_agent_TracedCall_init_zero;
  message.plugin = wire::encode_text(&plugin);
  message.function = wire::encode_text(&function);
  message.thread = virtual_id(call.thread);
  message.began_ns = call.began_ns + since_boot_ns;
  message.took_ns = call.took_ns;
  return channel->put(id, cairn_agent_Message_traced_call_tag, cairn_agent_TracedCall_fields, &message) == 0;
}

}  // namespace

uint32_t take_trace_request(sys::Text body) {
  cairn_agent_TraceRequest request = cairn_agent_TraceRequest_init_zero;
  const bool on = wire::decode(body, cairn_agent_TraceRequest_fields, &request) && request.on;
  asked_ns = on ? sys::now_ns() : 0;
  return events::trace_wraps(on);
}

void tell_traced_calls(wire::Channel* channel, uint64_t id, uint32_t untraced) {
  cairn_agent_TraceEnd end = cairn_agent_TraceEnd_init_zero;
  end.untraced = untraced;
  const uint64_t since_boot_ns = sys::now_ns(CLOCK_REALTIME) - sys::now_ns();
  events::WrapperCall call;
  for (uint32_t told = 0; told < most_told && events::take_wrapper_call(&call); ++told) {
    if (!send_call(channel, id, call, since_boot_ns)) return;
  }
  end.dropped = events::take_dropped_calls();
  (void)channel->send(id, cairn_agent_Message_trace_end_tag, cairn_agent_TraceEnd_fields, &end);
}

void look_for_end_of_trace() {
  const uint64_t now_ns = asked_ns != 0 ? sys::now_ns() : 0;
  // After a restart the clock may be before.
  if (asked_ns == 0 || (now_ns >= asked_ns && now_ns - asked_ns < patience_ns)) return;
  asked_ns = 0;
  (void)events::trace_wraps(false);
}

}  // namespace cairn::agent
