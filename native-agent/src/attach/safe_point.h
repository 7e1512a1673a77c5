// A thread of the program that may load a library just now: one that is not within malloc, the loader or a fork, nor in a signal handler
// that may have interrupted those, whose locks it might hold. (What other threads hold does not matter: they run on meanwhile, and give it back.)
//
// Best is a thread that waits in a system call: the C library makes none that wait, but for its own locks (futex), while it holds
// such a lock. Elsewhere it is looked who has called whom (callers.h); where that cannot be told, the thread's stack is searched for
// addresses to which such functions would return, which may have been left by calls that are over. Threads are looked at again and again
// until one is found or the time is over. Where: cairn-attach. Test: test/probes/attach.test.ts.
#pragma once
#include "attach/target.h"
#include "attach/thread.h"

namespace cairn::attach {

/// The system call in which a thread waits, by /proc; -1: it runs.
long waiting_call(pid_t pid, pid_t tid);

class SafePoint {
 public:
  explicit SafePoint(const Target* target);
  ~SafePoint();
  SafePoint(const SafePoint&) = delete;
  SafePoint& operator=(const SafePoint&) = delete;

  /// A stopped thread; nullptr: none was found by the deadline, or the kernel refuses (`refusal`: why, an errno). The caller's.
  Thread* find(double deadline, int* refusal);

 private:
  enum class Verdict { safe, unsafe, unknown };
  bool is_safe(const Thread& thread, bool waiting_only) const;
  [[nodiscard]] Verdict judge_callers(const user_regs_struct& at, bool lock) const;
  [[nodiscard]] bool search_stack(const user_regs_struct& at, bool lock) const;
  [[nodiscard]] bool is_known_thread(const Thread& thread) const;
  [[nodiscard]] bool is_locking(uint64_t address) const;
  [[nodiscard]] bool follows_call(uint64_t address) const;
  [[nodiscard]] bool is_signal_return(uint64_t address) const;
  [[nodiscard]] bool is_within_libc(uint64_t address) const;
  [[nodiscard]] bool is_harmless_to_interrupt(uint64_t address) const;

  static constexpr int max_ranges = 64;
  const Target* target_;
  Symbol ranges_[max_ranges];  // functions that hold locks
  int range_count_ = 0;
};

}  // namespace cairn::attach
