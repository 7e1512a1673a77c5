// The array `environ`: one of ours from the program's start, with room for variables that a restart adds. A program that finds
// another array later takes it for a copy of its own and may free it, so ours is there before main() looks.
// Behind its end lie the auxiliary vector's entries, as behind the kernel's array, for programs that look for them there.
// libc's setenv() replaces it by one that has the same strings, and frees nothing: entries may be changed, and a new variable may take
// another array of ours. One with strings of the program's own only is left as it is (history.h stands for the variable), since
// who copies all of them may free them, with the array.
// [init, restoring] Tests: tests/env_plugin_test.cc, test/probes/attributes/environment_kept.c.
#pragma once
#include <stddef.h>

#include "cairn/plugin.h"

namespace cairn::env {

/// [init] Makes an array of ours the environment. Without memory the kernel's stays.
void take_array_at_start(const cairn_host *host);

/// Whether entries may be changed, and added: the array is ours, or has strings that nobody can free.
bool may_change();

/// An entry at the array's end. False: no memory.
bool append_entry(const cairn_host *host, char *string);

/// Another string in place of an entry; nullptr ends the array there. False: no memory.
bool set_entry(const cairn_host *host, size_t index, char *string);

}  // namespace cairn::env
