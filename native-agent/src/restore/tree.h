// The processes of a snapshot, as its file `processes` lists them, and the forks that make them: each with its parent and in its
// session. Runs before anything of the old memory is there.
//
//   P VIRTUAL_PID PARENT SESSION [TERMINAL]   a process; PARENT 0: outside the computation; SESSION 0: that of whoever restarts it;
//                                  TERMINAL 1: it leads its session, which has a controlling terminal of its own
//   Z VIRTUAL_PID PARENT STATUS [UNTOLD]   a child that has ended and that nobody has waited for; STATUS as wait(2) gives it;
//                                  UNTOLD 1: its parent is sent the signal, which no image has
//
// The first line is the process that the caller becomes.
// A process has the controlling terminal that its session had when it was forked, so a session's is a new pseudo-terminal that the
// leader takes before it forks; its descriptor of the master's end stays open for the plugin that owns terminals, which closes or
// keeps it (plugins/terminal/pty_make.cc). Test: test/probes (processes, terminal).
#pragma once
#include "image/handoff.h"
#include "sys/text.h"

namespace cairn::restore {

inline constexpr uint32_t max_processes = 4096;

/// Returns in each of the processes, with its virtual pid; children that have ended are listed in *ended (their real ids).
int32_t fork_processes(sys::Text list, image::EndedChild* ended, uint32_t* ended_count, uint32_t ended_capacity);

/// How many of them live; *first: the virtual pid of the process that the caller becomes.
uint32_t living_processes(sys::Text list, int32_t* first);

}  // namespace cairn::restore
