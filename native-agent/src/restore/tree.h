// The processes of a snapshot, as its file `processes` lists them, and the forks that make them: each with its parent and in its
// session. Runs before anything of the old memory is there.
//
//   P VIRTUAL_PID PARENT SESSION   a process; PARENT 0: outside the computation; SESSION 0: that of whoever restarts it
//   Z VIRTUAL_PID PARENT STATUS    a child that has ended and that nobody has waited for; STATUS as wait(2) gives it
//
// The first line is the process that the caller becomes. Test: test/probes (processes).
#pragma once
#include "image/handoff.h"
#include "sys/text.h"

namespace cairn::restore {

inline constexpr uint32_t max_processes = 4096;

/// Returns in each of the processes, with its virtual pid; children that have ended are listed in *ended (their real ids).
int32_t fork_processes(sys::Text list, image::EndedChild* ended, uint32_t* ended_count, uint32_t ended_capacity);

}  // namespace cairn::restore
