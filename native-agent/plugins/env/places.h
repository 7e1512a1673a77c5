// Where the strings of the environment lie, which decides about what may be written to.
// The kernel puts the first ones on the initial stack; nobody can free those. A program may have put its own into the environment,
// or copied all of them, and frees what it believes its own: such strings are read, never written to, and an entry for one is
// changed only where the user asked for it. [init, restoring] Test: tests/env_plugin_test.cc.
#pragma once
#include <stddef.h>

#include "cairn/plugin.h"

namespace cairn::env {

/// [init] Notes where the initial strings are, and gives the variables that every restart changes a place of ours, with room for
/// any value: a restart then writes there, and the program's array stays as it is.
int32_t find_places(const cairn_host *host);

/// A program that was attached has nothing of Cairn in its environment: what has such a name there is its own.
bool is_own_environment();
/// Of those variables.
bool changes_always(const char *name, size_t length);

/// Bytes that may be written at a string, its end included: 0 where it is not certainly ours or the kernel's.
size_t room_at(const char *string);

/// A string of ours, "NAME=VALUE"; nullptr: no memory.
char *make_string(const cairn_host *host, const char *name, size_t length, const char *value, size_t room);

/// Writes memory that the application may have made read-only. False: it has.
bool write_memory(const cairn_host *host, void *to, const void *from, size_t size);

}  // namespace cairn::env
