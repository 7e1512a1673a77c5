#include "agent/log.h"

#include "agent.pb.h"
#include "sys/futex.h"

namespace cairn::agent {
namespace {

struct Entry {
  uint32_t full;  // 0 free, 1 being filled, 2 ready
  uint32_t level;
  uint64_t time_ns;
  char text[512];
};
constexpr uint32_t capacity = 64;
Entry entries[capacity];

}  // namespace

void log(uint32_t level, const char* text) {
  for (Entry& entry : entries) {
    uint32_t expected = 0;
    if (!__atomic_compare_exchange_n(&entry.full, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) continue;
    entry.level = level;
    entry.time_ns = sys::now_ns(CLOCK_REALTIME);
    sys::TextBuilder(entry.text, sizeof entry.text).add(text);
    __atomic_store_n(&entry.full, 2, __ATOMIC_RELEASE);
    return;
  }
}

void send_log(wire::Channel* channel) {
  for (Entry& entry : entries) {
    if (__atomic_load_n(&entry.full, __ATOMIC_ACQUIRE) != 2) continue;
    sys::Text text(entry.text);
    cairn_agent_Log message = cairn_agent_Log_init_zero;
    message.level = entry.level;
    message.time_ns = entry.time_ns;
    message.text = wire::encode_text(&text);
    if (channel->send(0, cairn_agent_Message_log_tag, cairn_agent_Log_fields, &message) != 0) return;
    __atomic_store_n(&entry.full, 0, __ATOMIC_RELEASE);
  }
}

void forget_log() {
  for (Entry& entry : entries) entry.full = 0;
}

}  // namespace cairn::agent
