// Loads a plugin's library into a restarted or held process. libc's loader cannot do that: a thread of the application, which does not run
// yet, may hold its locks or malloc's. So this maps the library and binds it itself, against what the process has loaded: the
// library may need no other ones, and have no thread-local variables. Context: restoring, quiesced. Test: test/probes/runs.test.ts.
#pragma once
#include "sys/error.h"

namespace cairn::events {

struct Library {
  uint64_t base = 0;
  const void* dynamic = nullptr;
};

/// Maps, relocates and initialises it; the error says what it lacks.
bool load_library(const char* path, Library* library, sys::Error* error);
/// A function that it defines; NULL: none.
void* library_symbol(const Library& library, const char* name);

}  // namespace cairn::events
