// Bytes of arguments and of the environment that are no UTF-8: what prepares a start knows them as text, in which each such byte has become
// U+FFFD. The program is to have those that the caller gave.
// Context: cairn-launch. Test: test/programs/bytes.test.ts.
#pragma once

namespace cairn::launch {

struct Preparation;

/// Puts the caller's words and variables in the place of those in `prepared` that are the same but for such bytes. `command`: the caller's words, of
/// which the last ones are the program's; `variables`: the caller's.
void restore_bytes(char** command, char** variables, Preparation* prepared);

}  // namespace cairn::launch
