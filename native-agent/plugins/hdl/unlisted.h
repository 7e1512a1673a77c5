// Scopes of models of Verilator's that its VPI finds by their names, but does not list: generate blocks, named blocks, packages, and what is
// around the top module, whose signals are the model's ports. Each is given as if it were directly in the module around it, or at the top.
// Context: as signals.h. Test: test/simulators/signals.test.ts.
#pragma once
#include "hdl/signals.h"

namespace cairn::hdl {

struct Unlisted {
  const void* names;   // the model's table of them
  const char* within;  // the name of the module around them; nullptr: of none
  const char* next;    // where to look next
};

/// Those in a module; nullptr: at the top.
Unlisted unlisted_in(const Program& program, Handle module);
/// The next one that has signals, for the caller to let go of; nullptr: there is none.
Handle next_unlisted(const Program& program, Unlisted* unlisted);

}  // namespace cairn::hdl
