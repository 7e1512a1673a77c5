// Owns: processor time and other accounts of the kernel's, which begin at nothing in a restarted process: what was used before
// is added to what the kernel counts now. Before the first restart nothing is added, and nothing is asked but a flag.
#pragma once
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

namespace cairn::pid {

/// [quiesced] Notes what the process and its threads have used until now. 0 or -errno after host->fail.
int32_t save_cpu_times();
/// [restoring] From now on that is added.
int32_t restore_cpu_times();
/// [any] In the child of a fork, which has used nothing yet.
void forget_cpu_times();
/// [any] A new thread, which may have got the number of one that has ended.
void begin_cpu_time();

/// Nanoseconds to be added to a clock of processor time, by its virtual id; 0 for every other clock. [any]
int64_t cpu_time_before(clockid_t clock);
void add_cpu_time(clockid_t clock, struct timespec* time);
/// To what getrusage gave for `who`.
void add_usage(int who, struct rusage* usage);

}  // namespace cairn::pid
