// One thread of the program under ptrace: stopped without a signal that the program could see, sent on a visit (visit.h), let go.
// Where: cairn-attach. Invariant: whenever cairn-attach ends, the kernel lets the thread go on, and it finds its way back alone.
#pragma once
#include <sys/types.h>
#include <sys/user.h>

#include "attach/target.h"
#include "attach/visit.h"

namespace cairn::attach {

class Thread {
 public:
  Thread(const Target* target, pid_t tid) : target_(target), tid_(tid) {}
  ~Thread() { let_go(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  /// Seizes and stops it. 0; ESRCH: it has ended; else why the kernel refuses.
  int stop();
  /// It goes on as if nothing had been.
  void let_go();

  [[nodiscard]] pid_t tid() const { return tid_; }
  [[nodiscard]] const user_regs_struct& registers() const { return registers_; }
  /// In a system call that the stop has interrupted, and that goes on afterwards.
  [[nodiscard]] bool in_blocking_call() const;
  /// Lets it go on in code at `entry`, which makes the call for it. False: the kernel has it no more in a call that can begin again.
  bool send_to(uint64_t entry);
  /// A signal is on its way to it.
  [[nodiscard]] bool has_pending_signal() const;
  /// Where a block would lie; 0: there is no room below its stack.
  [[nodiscard]] uint64_t block_address() const;

  /// The visit with this block, by code at `code`; afterwards the block as the thread has left it, and the thread goes on.
  /// False: it has ended meanwhile, or does not come back by the deadline (CLOCK_MONOTONIC, seconds): it finishes by itself.
  bool visit(VisitBlock* block, uint64_t code, double deadline);

 private:
  bool wait_stop(int* status);
  bool set(const user_regs_struct& registers);
  bool run_to_mark(uint64_t code, double deadline);

  const Target* target_;
  pid_t tid_;
  bool stopped_ = false;
  bool seized_ = false;
  user_regs_struct registers_ = {};
  uint64_t mask_ = 0;
};

/// The calls of the program's threads that stops have turned into restart_syscall(2), told to the agent at `table`.
void note_calls(const Target& target, uint64_t table);

double now();

}  // namespace cairn::attach
