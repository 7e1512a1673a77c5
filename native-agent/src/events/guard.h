// A plugin from outside that crashes in a callback (SIGSEGV, abort(), …) ends that callback, and nothing else. Cairn's own thread is
// traced while it runs callbacks, by a short-lived process on the same memory, like the one that stops threads (checkpoint/stop.h): it sees
// the signal before the kernel acts on it, and leads the thread back to where the callback was called. No handler of the application runs,
// and its dispositions stay as they are: the kernel takes back that of an ignored signal which is forced upon a thread, and that is undone.
// Signals of these kinds that somebody sends meanwhile are handed on when the callback has returned.
//
// What the callback had taken (a lock, memory) stays taken. Where the thread cannot be traced callbacks run as they are.
// Context: Cairn's own thread, in an operation. Test: test/probes/plugins.test.ts.
#pragma once
#include <stdint.h>

namespace cairn::events {

struct Fault {
  int32_t signal;
  uint64_t address;  // of memory, for SIGSEGV and SIGBUS
};

/// Runs work(context). False: it crashed.
bool run_guarded(void (*work)(void* context), void* context, Fault* fault);
/// At the end of an operation: the thread is traced no more.
void end_guard();
/// In a new process, forked or restarted, which has none yet.
void forget_guard();

/// "SIGSEGV"; empty: no signal that is guarded against.
const char* fault_name(int32_t signal);

}  // namespace cairn::events
