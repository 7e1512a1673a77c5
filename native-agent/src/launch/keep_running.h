// `cairn-launch --keep-running TID`: lets one thread of a process run that a signal has stopped, until standard input ends. For the
// coordinator, which needs the agent's thread: nobody else of the process goes on, and whoever waits for the process sees nothing.
// Afterwards the thread is stopped like the others, or goes on if SIGCONT has come. Test: test/probes/processes/stopped.c.
#pragma once

namespace cairn::launch {

int keep_running(const char* tid);

}  // namespace cairn::launch
