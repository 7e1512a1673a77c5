#include "events/times.h"

#include "events/host.h"
#include "sys/futex.h"

namespace cairn::events {
namespace {

constexpr uint32_t capacity = 128;
CallTime times[capacity];
uint32_t noted = 0;
uint64_t phase_start_ns = 0;
/// Of callbacks inside the one that runs.
uint64_t inner_ns = 0;

bool in_operation() { return facts().error != nullptr; }

CallTime* entry_of(uint32_t layer, uint32_t event) {
  for (uint32_t i = noted; i-- > 0;) {
    if (times[i].layer == layer && times[i].event == event) return &times[i];
  }
  if (noted == capacity) return nullptr;
  times[noted] = {layer, event, 0, 0, 0};
  return &times[noted++];
}

}  // namespace

void begin_times(uint64_t start_ns) {
  noted = 0;
  inner_ns = 0;
  phase_start_ns = start_ns;
}

uint32_t time_count() { return noted; }
const CallTime& time_at(uint32_t index) { return times[index]; }

CallTimer::CallTimer() : start_ns_(in_operation() ? sys::now_ns() : 0), outer_ns_(inner_ns) {
  if (start_ns_ != 0) inner_ns = 0;
}

void CallTimer::by(uint32_t layer, uint32_t event) {
  if (start_ns_ == 0 || !in_operation()) return;
  uint64_t took = sys::now_ns() - start_ns_;
  if (CallTime* entry = entry_of(layer, event); entry != nullptr) {
    if (entry->count++ == 0) entry->first_ns = start_ns_ - phase_start_ns;
    entry->total_ns += took - (inner_ns < took ? inner_ns : took);
  }
  inner_ns = took;
}

CallTimer::~CallTimer() {
  if (start_ns_ != 0) inner_ns += outer_ns_;
}

}  // namespace cairn::events
