// Job control: a process that a signal has stopped (SIGSTOP, SIGTSTP and their like) is stopped again by a restart, before any of its
// threads goes on, and its parent learns of that only if it had not learnt of the stop before.
//
// The agent's thread stops with its process. For an operation the coordinator lets it run alone, by ptrace (launch/keep_running.h),
// so that what is here may run in a process that is stopped. After a restart the threads wait where the restorer left them until
// SIGCONT comes, which stays pending for that long, since they block all signals there.
// Context: the agent's thread, quiesced or restoring. Test: test/probes/processes/stopped.c, test/programs (bash).
#pragma once
#include <stdint.h>

namespace cairn::agent {

/// [quiesced] The signal that has stopped this process; 0: none. Part of the image.
void record_job_stop(int32_t signal);
[[nodiscard]] bool was_stopped();
/// [quiesced] A child whose stop this process, its parent, could still wait for. Part of the image.
void forget_stop_events();
void note_stop_event(int32_t virtual_pid, int32_t real_pid);

/// [restoring] Tells the others that this process will be stopped.
void announce_job_stop(int32_t virtual_pid);
/// [restoring] Waits for the children that are stopped again, and takes from the kernel what this process knew of them already.
void take_known_stops();
/// Stops this process; returns when its agent runs again, which need not be the whole process.
void stop_process();
/// SIGCONT has come.
[[nodiscard]] bool continued();

}  // namespace cairn::agent
