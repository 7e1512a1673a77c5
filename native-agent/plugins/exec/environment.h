// What a program needs in its environment to become a process of the computation: our library before what it preloads itself, and
// who it belongs to. Applications hand on their own copies (a shell's, one of before a restart) or none at all.
// [any], also in a child made by vfork: nothing is allocated, nothing of the parent's is changed.
#pragma once
#include <stddef.h>

#include "cairn/plugin.h"

namespace cairn::exec {

/// [init] From the environment that the coordinator gave.
void remember_environment();
/// [init] In a program that was attached: from the settings. Its own environment has nothing of it.
void remember_attached(const cairn_host* host);
/// Whether it was: then libc's popen(), which hands the program's environment on, keeps nobody in the computation.
bool is_attached();
/// [restoring] From the settings of the restart.
void remember_settings(const cairn_host* host);

/// The program starts others on other hosts, by what the session says (CAIRN_LAUNCHERS), and the session can have processes there.
bool is_launcher(const char* path, char* const* environment);
/// Our own program in such a one's place: cairn-remote, beside the agent.
bool remote_program(char* path, size_t size);
/// There is an agent for programs of 64 or of 32 bits.
bool has_agent_for(bool wide);

/// Bytes that complete() needs for this environment. NULL: an empty one.
size_t room_for(const cairn_host* host, char* const* environment);
/// Writes an environment with what is needed and what restarts have given (unless it says that the program is none of the computation, see bin/cairn) into `room`, which must hold room_for() bytes; strings are shared.
char** complete(const cairn_host* host, char* const* environment, void* room);

}  // namespace cairn::exec
