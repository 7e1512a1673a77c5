// The agent in a program that was started without Cairn: what stands in place of the library's constructor. cairn-attach loads the
// library into the program and has one of its threads call cairn_attach (image/attached.h). From then on the program's environment
// is one that keeps what it executes in the computation, and its calls come through the wrappers.
// Context: a thread of the application outside of malloc and the loader; libc may be used. Test: test/probes/attach.test.ts.
#pragma once
#include "sys/text.h"

namespace cairn::agent {

/// Whether this library was preloaded, by the environment of the program: else it was loaded to be attached.
bool is_preloaded();

/// The program's environment, with what Cairn adds to it: "NAME=VALUE" strings and an empty one. False: no memory.
bool extend_environment(const char* additions);
/// As it was before.
void restore_environment();
/// Notes the alternate stack of this thread, which it set when nobody saw it.
void record_own_altstack();
bool altstacks_matter();

}  // namespace cairn::agent
