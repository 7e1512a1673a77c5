// Interposing in a program that was bound before libcairn.so came: what LD_PRELOAD does at a program's start, done later.
//
// The library is put into the loader's list of libraries right behind the program, so that whatever is bound from then on (functions
// bound when first called, libraries loaded later, dlsym) finds its functions first; and in all modules that are there, the places
// that were bound to the C library's are bound anew. A function that the program or a library defines in place of the C library's
// stays theirs. Pointers that the program has copied elsewhere (out of a table, or from dlsym) still lead to the C library.
// Context: a thread of the application, outside of libc's loader; other threads run. Test: test/probes/attach.test.ts.
#pragma once
#include "sys/error.h"

namespace cairn::agent {

/// False: nothing was changed, the error says why. Once it was done it does nothing.
bool interpose(sys::Error* error);

}  // namespace cairn::agent
