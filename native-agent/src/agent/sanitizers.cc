// Owns: what makes programs with an AddressSanitizer that is a library run although Cairn's library comes before it: the sanitizer ends
// a program where it is not the first, since others could have malloc or the like in its place; Cairn's library has none of them. It
// asks for its options by a function of this name, which a program may have, too; then that one is called.
// Test: test/programs/sanitizers.test.ts.
#include "cairn/plugin.h"

extern "C" CAIRN_EXPORT const char* __asan_default_options() { return "verify_asan_link_order=0"; }
