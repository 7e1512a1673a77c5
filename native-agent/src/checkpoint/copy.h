// Code of the program's, called in a copy of the process that is thrown away afterwards: whatever it does there, the computation cannot be
// harmed but in memory and by descriptors that it shares with others. The copy is made while the threads are stopped, wherever they are, so that the code may find a lock taken and not return.
// Context: Cairn's thread while the threads are stopped, or the writer.
#pragma once
#include "checkpoint/stop.h"

namespace cairn::checkpoint {

/// What job(context, result, capacity) gives, called as the first thread; what it leaves in `result` is copied back. -ETIMEDOUT, -EFAULT (it
/// ended the copy), -errno (there is no copy). Test: test/simulators/held-signals.test.ts.
int64_t run_in_copy(const Stop& stop, int64_t (*job)(void* context, void* result, uint64_t capacity), void* context, void* result, uint64_t capacity,
                    uint64_t patience_ns);

}  // namespace cairn::checkpoint
