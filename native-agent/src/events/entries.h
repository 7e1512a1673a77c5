// Plugins that are called once at the beginning of a function of the program (plugin.h, cairn_entry), also where it is called from within the
// program and no table of addresses leads to it: the function's first bytes are made a jump. They are put back before the plugin is called,
// so that no instruction has to be known or moved: the call, and the plugin, go on with the function as it was.
//
// Who may be where. The bytes change while all threads are stopped, and none between the first and the last of them. They are put back
// while threads run, by the first one that comes; others that come meanwhile wait at the function's beginning. What is left behind is in the
// image: a restarted process, or a forked one, that is called there puts back the same bytes.
// Where each call comes (cairn_entry.each) the bytes stay a jump until the plugin leaves, since they could not be put back and changed again
// while threads run: the instructions that stood there are made elsewhere, from where the function goes on (x86_64/moved_code.h).
// Test: tests/entries_test.cc, test/simulators/signals.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "sys/error.h"

namespace cairn::events {

/// [running, restoring; Cairn's own thread] As host->enter; what it fails at is said in `error`.
int32_t arm_entries(cairn_entry* const* entries, uint32_t count, void (*meanwhile)(void* context), void* context, sys::Error* error);
/// [any] As host->leave.
int32_t disarm_entry(cairn_entry* entry);
/// In a forked child.
void forget_entries();

// ---- What the folder of a processor gives ----------------------------------------------------------------------------------

/// Bytes that change.
uint32_t entry_size();
/// Prepares what the jump leads to. 0 or -errno: -ENOTSUP: not on this processor; -ENOMEM: no place that it reaches is free; -EOPNOTSUPP: the
/// instructions there cannot be moved.
int32_t prepare_entry(cairn_entry* entry);
/// All threads are stopped, none within the bytes.
int32_t change_entry(cairn_entry* entry);
/// Its jump is what the function begins with.
bool stands_in_front(const cairn_entry& entry);
/// Threads run, and none but this one is near the function.
void put_entry_back(cairn_entry* entry);

}  // namespace cairn::events

/// What a jump comes to by way of the processor's own part, with all registers kept: enum cairn_entry_result.
extern "C" uint32_t cairn_entry_reached(cairn_entry* entry, const uint64_t* arguments);
