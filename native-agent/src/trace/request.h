// What a process asks of the one that traces one of its threads: to hold the thread, and to tell its state. The request lies in the
// memory of the process that asks, which finds the other by the shared names (real id of the thread -> where the request is, and
// who traces it); the tracing thread writes the answer there (service.h).
// Both have the same build of the agent, or the size differs and the request is refused.
#pragma once
#include <signal.h>
#include <stdint.h>

#include "sys/context.h"

namespace cairn::trace {

enum : uint32_t { wanted = 0, held = 1, refused = 2, gone = 3, let_go = 4, in_passing = 5 };  // the last: refused, but it will soon be elsewhere

inline constexpr uint32_t max_pending_signals = 32;

struct Answer {
  sys::processor::Registers registers;
  uint64_t signal_mask;
  uint64_t rseq_address;
  uint32_t rseq_size;
  uint32_t rseq_signature;
  uint32_t interrupted;     // its call was ended by the stop and has to begin anew
  uint32_t pending_count;
  uint64_t xstate_size;     // used part
  siginfo_t pending[max_pending_signals];
  uint8_t pending_shared[max_pending_signals];  // 1: of the process
  char why[192];            // it was refused
  alignas(64) char xstate[sys::processor::max_xstate];
};

struct Request {
  uint32_t state;
  uint32_t size;
  int32_t real_tid;
  int32_t reserved;
  Answer answer;
};

}  // namespace cairn::trace
