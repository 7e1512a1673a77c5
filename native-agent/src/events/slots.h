// Words of modules by which functions are found, written whatever protects them: places that are bound to a function, entries of tables
// of symbols, and the beginning of an empty function of the loader's.
// Context: any; no word is ever seen half written. Test: test/probes/interposition.test.ts.
#pragma once
#include "events/modules.h"

namespace cairn::events {

/// False: this system forbids it.
bool write_word(const Module& module, const uintptr_t* place, uintptr_t value);

/// The places of a module that are bound to a function by its name, or data with its address: visit(context, name, place).
void for_each_slot(const Module& module, void (*visit)(void* context, const char* name, uintptr_t* place), void* context);

/// Has an empty function, whose bytes up to the next 16 belong to nobody, jump to another one. False: it is none, or the way is too far.
bool lead_empty_function(const Module& module, uint64_t entry, void (*target)());

}  // namespace cairn::events
