// What the application's code and plugins call (<cairn/cairn.h>, plugin.h): requests for checkpoints, and critical sections.
// Context: [any], requests not in signal handlers. Test: test/probes/requests.
#pragma once
#include <stdint.h>

extern "C" {

int32_t cairn_agent_request_checkpoint(const char* name);
void cairn_agent_request_error(char* buffer, uint32_t capacity);
int32_t cairn_agent_forbid_checkpoint(const char* what);
int32_t cairn_agent_allow_checkpoint();

}  // extern "C"
