// What this process traces by ptrace(2): a debugger and its like within the computation. Each tracee has an entry, by its virtual id,
// with what the kernel does not tell a tracer later (how it was attached, with which options, how it was let go on last), and what
// the last checkpoint found of its stop. The wrapper of ptrace (agent/trace_calls.cc) notes, service.cc keeps, again.cc brings back.
//
// Invariants: an entry is written by the thread that traces, or while that thread is stopped; the table is part of the image.
// Context: any, lock-free. Tests: test/probes/tracing, test/programs (gdb).
#pragma once
#include <signal.h>
#include <stdint.h>

#include "sys/context.h"

namespace cairn::trace {

inline constexpr uint32_t max_tracees = 512;

/// Where a tracee was at the checkpoint.
enum class Place : uint32_t {
  running,      // or in a system call
  signal,       // about to take a signal
  call_entry,   // before and
  call_exit,    // after a system call (PTRACE_SYSCALL)
  event,        // within fork, exec, …: cannot be brought back
  interrupted,  // stopped by PTRACE_INTERRUPT, or new (PTRACE_EVENT_STOP)
};

struct Tracee {
  int32_t virtual_tid;  // 0: free
  int32_t tracer;       // virtual id of the thread that traces it
  uint32_t seized;      // 1: by PTRACE_SEIZE
  uint32_t options;     // PTRACE_O_…
  uint32_t request;     // PTRACE_CONT, PTRACE_SYSCALL, …: how it was let go on
  // Of the last checkpoint:
  uint32_t kept;        // 1: what follows is true
  Place place;
  uint32_t told;        // 1: the tracer has waited for this stop
  uint32_t within_call; // running, and the tracer has seen the call's entry
  uint32_t reserved;
  uint64_t mask;
  uint64_t debug[8];
  siginfo_t info;       // of the stop; ids in it are virtual
  sys::processor::Registers registers;
};

/// The entry of a thread; `make`: a new one where there is none, with what is known of others. nullptr: there is none, or no room.
Tracee* find(int32_t virtual_tid, bool make);
void forget(int32_t virtual_tid);
/// Any was ever made.
[[nodiscard]] bool any();
/// The index-th place of the table; it may be free.
Tracee& place(uint32_t index);
/// At the beginning of a checkpoint.
void forget_kept();

/// ptrace(2) below all wrappers, with a real id.
long request(long number, int32_t real_tid, uint64_t address, uint64_t data);
/// Does the siginfo hold the id of a process?
bool has_sender(const siginfo_t& info);

}  // namespace cairn::trace
