#include "agent/application_calls.h"

#include "agent/agent.h"
#include "cairn/plugin.h"

namespace {

uint64_t this_thread() { return cairn::sys::processor::thread_pointer(); }

}  // namespace

extern "C" {

CAIRN_EXPORT int32_t cairn_agent_request_checkpoint(const char* name) { return cairn::agent::instance().request(this_thread(), name); }
CAIRN_EXPORT void cairn_agent_request_error(char* buffer, uint32_t capacity) { cairn::agent::instance().request_error(buffer, capacity); }
CAIRN_EXPORT int32_t cairn_agent_forbid_checkpoint(const char* what) { return cairn::agent::instance().forbid(this_thread(), what); }
CAIRN_EXPORT int32_t cairn_agent_allow_checkpoint() { return cairn::agent::instance().allow(this_thread()); }

}  // extern "C"
