// Answers table requests: the plugins' tables of virtual names, and the core's own "mapping". Context: the agent's thread.
#pragma once
#include <cairn/plugin.h>

#include "agent/agent.h"

namespace cairn::agent {

class Tables {
 public:
  explicit Tables(Agent* agent) : agent_(agent) {}
  void answer(uint64_t id, sys::Text body);

 private:
  static void emit(void* self, const cairn_row* row, const char* owner);
  void mappings();

  Agent* agent_;
  uint64_t id_ = 0;
  uint32_t count_ = 0;
};

}  // namespace cairn::agent
