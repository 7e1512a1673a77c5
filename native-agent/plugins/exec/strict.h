// `cairn run --strict`: a program that no checkpoint could save is not executed. [any], also in a child made by vfork: only the stack
// is used. Test: test/probes/strict.test.ts.
#pragma once

namespace cairn::exec {

/// Under --strict: whether the program is one that Cairn cannot get into (or its interpreter is); then it has said so on standard
/// error, and errno is EPERM. fd: an open file, or -1: `path`.
bool refuses(const char* path, int fd = -1);
/// The same for a name that is looked for in PATH.
bool refuses_found(const char* file);

}  // namespace cairn::exec
