// The agent in a program that was started without Cairn: what stands in place of the library's constructor. cairn-attach loads the
// library into the program and has one of its threads call cairn_attach (image/attached.h). From then on its calls come through the
// wrappers. Its environment stays as it is: programs keep and free what they find there.
// Context: a thread of the application outside of malloc and the loader; libc may be used. Test: test/probes/attach.test.ts.
#pragma once
#include "sys/text.h"

namespace cairn::agent {

/// Whether this library was preloaded, by the environment of the program: else it was loaded to be attached.
bool is_preloaded();

/// What plugins find as settings while they start: the option "attached", and what programs of the computation have in their
/// environment ("NAME=VALUE" strings and an empty one). False: no memory.
bool tell_plugins(const char* variables);
/// Notes the alternate stack of this thread, which it set when nobody saw it.
void record_own_altstack();

}  // namespace cairn::agent
