// Owns: how this plugin reaches what lies below it: the host, raw system calls, and libc's functions.
// [any] Nothing here allocates or takes a lock; the functions below are looked up in init, or earlier by the constructor of
// another library that calls a wrapper before Cairn is there.
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdint.h>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/next.h"

#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace cairn::pid {

extern const cairn_host* host;

/// A function of the libraries below Cairn.
template <typename Function>
using Next = plugin::Next<host, Function>;

/// Declares next_NAME for a function that a system header declares.
#define CAIRN_PID_NEXT(name) static ::cairn::pid::Next<decltype(::name)> next_##name{#name, nullptr}

/// A system call below all wrappers: the result, or -errno.
long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0);

inline long pointer(const volatile void* address) { return reinterpret_cast<long>(const_cast<const void*>(address)); }

/// Is it the call that waits for a word in memory?
inline bool is_futex(int64_t number) {
#ifdef SYS_futex_time64
  if (number == SYS_futex_time64) return true;
#endif
  return number == SYS_futex;
}

/// The result in the manner of libc.
inline long with_errno(long result) {
  if (result < 0 && result > -4096) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

/// [restoring] The system call that a thread begins again, and its stack; false: none, or the host does not know.
bool thread_call(uint32_t index, int64_t* number, uint64_t* arguments, uint64_t* stack);
/// Reads this process's memory where it may not be there, or be anybody's.
bool peek(uint64_t address, void* data, size_t size);

// Each file of wrappers looks up in advance what its wrappers need.
void prepare_process();
void prepare_scheduling();
void prepare_wait();
void prepare_signal_reads();
void prepare_files();
void prepare_threads();
void prepare_create();
void prepare_clocks();
void prepare_cpu_times();
void prepare_timers();
void prepare_syscall();
void prepare_children();
/// [any] True if the call makes a child that Cairn is to be in, and was made here.
bool call_for_child(long number, const long* arguments, long* result);
/// [any] Whether the calling thread is the application's only one.
bool is_last_thread();
void prepare_shell();
void prepare_mutexes();
void prepare_time64();

/// For a received signal: its sender by the virtual id. Gives `signal` back.
int with_sender(int signal, siginfo_t* info);
/// time64.cc: sigtimedwait of programs with 32-bit times, made with a 64-bit one, whose place is the caller's.
int sigtimedwait_wide(const sigset_t* set, siginfo_t* info, const struct timespec* timeout);

/// [any] syscall_paths.cc: true if the call names a file and was made here; errno is set then.
bool call_with_paths(long number, const long* a, long* result);
/// syscall_sockets.cc: the same for sockets.
bool call_of_sockets(long number, const long* a, long* result);

/// In the child of a fork, which inherits neither timers nor the thread that serves them. [any]
void forget_timers();

}  // namespace cairn::pid
