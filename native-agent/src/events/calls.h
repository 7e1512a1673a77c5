// Calls of plugins' functions. Those of plugins from outside are noted in the shared names, so that the coordinator can say which one does
// not return (CAIRN_NAMES_CALL), and in operations a crash of one is an error of its callback (events/guard.h). Built-in plugins are
// called as they are. Contexts as in cairn/plugin.h. Test: test/probes/plugins.test.ts.
#pragma once
#include "events/host.h"

namespace cairn::events {

/// What the callback gave; -EFAULT: it crashed, facts().error says how.
int32_t call_event(const LoadedPlugin& entry, uint32_t event, void* data);
int32_t call_barrier(const LoadedPlugin& entry, const char* name, bool restart);
int32_t call_init(const LoadedPlugin& entry, const cairn_host* host, const char* settings);
int32_t call_request(const LoadedPlugin& entry, const cairn_request* request);
/// Of whose library the function is. It may have been asked for by any thread, where nobody knows who calls.
void call_stopped(cairn_stop* stop, int32_t error);
void call_rows(const LoadedPlugin& entry, const char* table, cairn_emit_row emit, void* context);

/// The plugin whose callback runs; nullptr: none.
const LoadedPlugin* calling();

/// In a new process, forked or restarted: none is going on.
void forget_calls();

/// "precheckpoint"; empty: it is not known.
const char* event_name(uint32_t event);

}  // namespace cairn::events
