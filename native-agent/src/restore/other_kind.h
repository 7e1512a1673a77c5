// Processes of the other word size (32 bits on a machine of 64): the restorer of their kind rebuilds them. Context: restorer, stage one.
#pragma once
#include "restore/options.h"
#include "restore/resident.h"

namespace cairn::restore {

/// The processor that an image is for, or that this restorer is for when the image does not say: decode_image finds out why.
bool is_for_this_processor(sys::Text meta);
/// The masters' ends of sessions' terminals (tree.h) are for the agent: they have to pass an execve, and only that one.
void pass_terminals_on(bool pass);
/// Becomes the restorer of the other kind, with this process's id, parent and session. `words`: this one's arguments; `order`: of a run of a
/// resident restorer, its own.
[[noreturn]] void become_other_restorer(const Options& options, const RunOrder& order, int count, char** words, int32_t process);

}  // namespace cairn::restore
