// Critical sections: while one is open in a process, no checkpoint stops it. Entered and left by the application's code
// (<cairn/cairn.h>) and by plugins; looked at by the agent before and after it has stopped the threads.
// A checkpoint that has to wait asks new sections to wait for a moment, too, so that ever new ones do not keep it out for ever; no
// longer, since a section may be what another one waits for, in this process or in another.
// Invariant: count is the sum of the depths of all entries. Lock-free, no libc.
// Context: [any]. Test: test/probes/requests, native-agent/tests/sections_test.cc.
#pragma once
#include <stdint.h>

#include "sys/text.h"

namespace cairn::agent {

class Sections {
 public:
  /// 0, or -ENOSPC. `owner`: of the thread; any number but 0 that other threads do not have.
  int32_t enter(uint64_t owner, const char* what);
  /// Of this thread, else of any. 0, or -EINVAL: none is open.
  int32_t leave(uint64_t owner);
  [[nodiscard]] bool open_in(uint64_t owner) const;
  [[nodiscard]] bool any() const { return __atomic_load_n(&count_, __ATOMIC_SEQ_CST) != 0; }

  /// A checkpoint waits, and asks again soon: whoever enters until then is kept for a moment. end(): it is over.
  void keep_out();
  void end();
  /// The oldest open section, for the user: "it is in a critical section (bus lock), for 12 ms".
  void describe(sys::TextBuilder* text) const;
  /// In a forked child or a restarted process: none is open.
  void reset();

 private:
  struct Entry {
    uint64_t owner;     // 0: free
    uint32_t depth;
    uint32_t named;     // 1: `what` and `since_ns` are whole
    uint64_t since_ns;
    char what[64];
  };
  static constexpr uint32_t capacity = 256;

  bool leave_one(uint64_t owner);

  uint32_t count_ = 0;
  uint32_t used_ = 0;       // entries from here on were never used
  uint32_t keeps_out_ = 0;  // futex
  uint64_t kept_until_ = 0;
  Entry entries_[capacity] = {};
};

}  // namespace cairn::agent
