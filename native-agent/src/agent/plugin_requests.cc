#include "agent/plugin_requests.h"

#include <errno.h>

#include "agent.pb.h"
#include "events/calls.h"
#include "events/guard.h"
#include "events/host.h"
#include "sys/futex.h"

namespace cairn::agent {
namespace {

using sys::Text;

constexpr uint64_t send_patience_ns = 100'000'000;

void send(wire::Channel* channel, uint64_t id, int32_t error, Text why, Text text) {
  cairn_agent_PluginReply reply = cairn_agent_PluginReply_init_zero;
  reply.error_number = error;
  reply.error = wire::encode_text(&why);
  reply.text = wire::encode_text(&text);
  (void)channel->send(id, cairn_agent_Message_plugin_reply_tag, cairn_agent_PluginReply_fields, &reply);
}

int32_t call(uint32_t number, const cairn_request& request, sys::Error* error) {
  sys::Error* others = events::facts().error;
  events::facts().error = error;
  int32_t result = events::call_request(events::plugin(number), &request);
  events::facts().error = others;
  events::end_guard();
  return result;
}

/// -1: the process has no such plugin that can be asked.
int64_t find(Text name) {
  for (uint32_t number = 0; number < events::plugin_count(); ++number) {
    const events::LoadedPlugin& entry = events::plugin(number);
    if (entry.error[0] == 0 && !entry.out && entry.plugin->request != nullptr && Text(entry.plugin->name) == name) return number;
  }
  return -1;
}

}  // namespace

int32_t PluginRequests::answer(int32_t error, const void* text, uint64_t size, bool* wake) {
  uint32_t state = asked;
  if (!__atomic_compare_exchange_n(&state_, &state, answering, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return -EALREADY;
  const bool fits = size <= largest_answer;
  static const char too_long[] = "the plugin's answer is too long";
  error_ = fits ? error : -EMSGSIZE;
  text_ = fits ? text : too_long;
  size_ = fits ? size : sizeof too_long - 1;
  __atomic_store_n(&state_, answered, __ATOMIC_RELEASE);
  *wake = true;
  return fits ? 0 : -EMSGSIZE;
}

void PluginRequests::await_sent() { (void)sys::wait_while(&state_, answered, sys::now_ns() + send_patience_ns); }

void PluginRequests::take(wire::Channel* channel, uint64_t id, Text body, bool held) {
  Text name, text;
  cairn_agent_PluginRequest message = cairn_agent_PluginRequest_init_zero;
  message.plugin = wire::decode_text(&name);
  message.text = wire::decode_text(&text);
  if (!wire::decode(body, cairn_agent_PluginRequest_fields, &message)) return send(channel, id, -EPROTO, "the request could not be read", {});
  const int64_t number = find(name);
  if (number < 0) return send(channel, id, -ENOENT, "this process has no such plugin that can be asked", {});
  if (sys::load(&state_) != none) return send(channel, id, -EBUSY, "a plugin of this process is still at work on an earlier request", {});
  id_ = id;
  number_ = static_cast<uint32_t>(number);
  given_up_ = unheard_ = false;
  deadline_ns_ = sys::now_ns() + uint64_t{message.deadline_ms} * 1'000'000;
  __atomic_store_n(&state_, asked, __ATOMIC_RELEASE);
  cairn_request request = {sizeof request, CAIRN_REQUEST_BEGIN, text.data, text.size, 0, held ? 1u : 0u};
  sys::Error error;
  int32_t result = call(number_, request, &error);
  if (result >= 0) return;
  __atomic_store_n(&state_, none, __ATOMIC_RELEASE);
  send(channel, id, result, error.failed() ? error.message() : Text("the plugin has refused the request"), {});
}

uint64_t PluginRequests::look(wire::Channel* channel) {
  const uint32_t state = sys::load(&state_);
  if (state == none) return 0;
  if (state == answered) {
    Text text(static_cast<const char*>(text_), size_);
    if (!unheard_ && channel->connected()) {
      if (error_ < 0) send(channel, id_, error_, text, {});
      else send(channel, id_, 0, {}, text);
    }
    sys::store_and_wake(&state_, none);
    return 0;
  }
  if (given_up_) return 0;
  const uint64_t now = sys::now_ns();
  if (now < deadline_ns_) return deadline_ns_ - now;
  give_up(CAIRN_REQUEST_LATE, channel);
  return 0;
}

void PluginRequests::give_up(uint32_t reason, wire::Channel* channel) {
  if (reason == CAIRN_REQUEST_LOST) unheard_ = true;
  if (sys::load(&state_) == none) return;
  if (!given_up_ && sys::load(&state_) == asked) {
    given_up_ = true;
    cairn_request request = {sizeof request, CAIRN_REQUEST_GIVE_UP, nullptr, 0, reason, 0};
    sys::Error error;
    (void)call(number_, request, &error);
  }
  if (sys::load(&state_) == answered) (void)look(channel);
}

void PluginRequests::reset() { *this = PluginRequests(); }

}  // namespace cairn::agent
