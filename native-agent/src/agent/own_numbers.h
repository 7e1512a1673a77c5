// Keeps the agent's thread and a thread of the application apart that puts something under the number of one of Cairn's descriptors
// (descriptor_calls.h): the agent holds it but while it waits for something to do. In the image; a restart and a child begin with it free.
// No thread of the application has it when a checkpoint begins, since the agent has. Test: test/probes/files/taken_numbers.c.
#pragma once
#include <stdint.h>

#include "sys/futex.h"

namespace cairn::agent {

class OwnNumbers {
 public:
  void lock() {
    for (uint32_t free = 0; !__atomic_compare_exchange_n(&word_, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED); free = 0) {
      sys::wait_while(&word_, 1, 0);
    }
  }
  void unlock() { sys::store_and_wake(&word_, 0); }
  /// [locked] Some descriptor has another number: what was looked up before is not right any more.
  void changed() { ++changes_; }
  [[nodiscard]] uint32_t changes() const { return changes_; }
  void reset() { __atomic_store_n(&word_, 0, __ATOMIC_RELEASE); }

 private:
  uint32_t word_ = 0;  // futex
  uint32_t changes_ = 0;
};

}  // namespace cairn::agent
