// How long plugins' callbacks took in one phase of an operation, for the reply to it. What a callback spends in others' (it offers them
// an event) is theirs. An event that is offered for many things (descriptors, mappings) is one entry for each plugin that claimed some.
// Context: Cairn's own thread, in an operation; elsewhere nothing is noted. Test: test/probes/timeline.test.ts.
#pragma once
#include <stdint.h>

namespace cairn::events {

struct CallTime {
  uint32_t layer;
  uint32_t event;     // enum cairn_event; 0: a barrier's callback
  uint32_t count;
  uint64_t first_ns;  // from the beginning of the phase to the first call
  uint64_t total_ns;
};

/// Forgets what was noted; the phase began at `start_ns` of CLOCK_MONOTONIC.
void begin_times(uint64_t start_ns);
uint32_t time_count();
const CallTime& time_at(uint32_t index);

/// From its making to `by` is what one callback took.
class CallTimer {
 public:
  CallTimer();
  void by(uint32_t layer, uint32_t event);
  ~CallTimer();
  CallTimer(const CallTimer&) = delete;
  CallTimer& operator=(const CallTimer&) = delete;

 private:
  uint64_t start_ns_;
  uint64_t outer_ns_;  // what callbacks inside the one around this took before
};

}  // namespace cairn::events
