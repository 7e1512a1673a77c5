// A running 32-bit program is not attached: cairn-attach refuses it before it touches it (attach/checks.cc). What the agent would need
// for that is here in its refusals only.
// Context: as agent/interposition.h and agent/call_again.h say. No test yet.
#include <errno.h>

#include "agent/call_again.h"
#include "agent/interposition.h"

namespace cairn::agent {

uint64_t call_again_entry() { return 0; }

bool interpose(sys::Error* error) {
  error->set(-ENOTSUP, "attach").add("it is a 32-bit program, and Cairn attaches only 64-bit ones; start it with cairn run");
  return false;
}

}  // namespace cairn::agent
