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
uint64_t asked_ns = 0;  // 0: nothing is traced

void send_call(wire::Channel* channel, uint64_t id, const events::WrapperCall& call, uint64_t since_boot_ns) {
  sys::Text plugin(call.plugin), function(call.function);
  cairn_agent_TracedCall message = cairn_agent_TracedCall_init_zero;
  message.plugin = wire::encode_text(&plugin);
  message.function = wire::encode_text(&function);
  message.thread = virtual_id(call.thread);
  message.began_ns = call.began_ns + since_boot_ns;
  message.took_ns = call.took_ns;
  (void)channel->send(id, cairn_agent_Message_traced_call_tag, cairn_agent_TracedCall_fields, &message);
}

}  // namespace

void answer_trace_request(wire::Channel* channel, uint64_t id, sys::Text body) {
  cairn_agent_TraceRequest request = cairn_agent_TraceRequest_init_zero;
  const bool on = wire::decode(body, cairn_agent_TraceRequest_fields, &request) && request.on;
  const uint64_t now_ns = sys::now_ns();
  asked_ns = on ? now_ns : 0;
  cairn_agent_TraceEnd end = cairn_agent_TraceEnd_init_zero;
  end.untraced = events::trace_wraps(on);
  const uint64_t since_boot_ns = sys::now_ns(CLOCK_REALTIME) - now_ns;
  for (events::WrapperCall call; events::take_wrapper_call(&call);) send_call(channel, id, call, since_boot_ns);
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
