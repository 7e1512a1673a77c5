// What restarts made of variables, by name. It stands for what may not be written to: entries of an array that the program has made
// itself and may free, which getenv() is wrapped for, and copies of the environment that a program hands on to others (a shell's): an
// entry that is still as a snapshot had it means what a restart has given since. What the program itself sets afterwards counts.
// remember() [init, restoring], the rest [any]: nothing is freed, and but for `forget` all changes while no thread runs. In the image.
// Tests: tests/env_plugin_test.cc, test/probes/environment.test.ts.
#pragma once
#include <stddef.h>

#include "cairn/plugin.h"

namespace cairn::env {

/// A variable had this value (nullptr: none), and is this entry now (nullptr: removed). False: no memory.
bool remember(const cairn_host *host, const char *name, const char *before, const char *entry);

/// From now on getenv() gives what was remembered, since the array was left as it is.
void stand_for(const char *name);

/// The program sets or removes the variable itself. nullptr: all.
void forget(const char *name);

/// What getenv() gives where the array has `value` (nullptr: nothing).
const char *value_now(const char *name, const char *value);

extern const cairn_environment handed_on;

}  // namespace cairn::env
