// Requests for a checkpoint by the application's own code (<cairn/cairn.h>), and for a hold by plugins: the calling thread waits, and the agent's
// thread asks the coordinator. One at a time in a process. A snapshot that is made meanwhile, for this request or another one, has the waiting thread
// in it: a restart answers it.
// Words of state and text are the image's. Test: test/probes/requests.
#pragma once
#include <stdint.h>

#include "sys/text.h"

namespace cairn::agent {

class Requests {
 public:
  /// [any thread of the application, not in signal handlers] As cairn_request_checkpoint gives it.
  int32_t ask(const char* name);
  /// As host->request_hold gives it.
  int32_t ask_hold(const char* what, const char* why);
  /// A request that is not made, and why.
  void refuse(const char* why);
  void last_error(char* buffer, uint32_t capacity) const;

  /// [any] The agent's thread looks what there is for it to do.
  void wake();

  // The rest: the agent's thread.
  /// What it polls for POLLIN; -1: there is none, and it has to look from time to time.
  [[nodiscard]] int fd() const { return wake_fd_; }
  /// It has another number now. False: a thread has not yet written to the earlier one, and may do so at any time.
  bool renumber(int fd);
  /// Before the agent's thread begins (again).
  void open();
  /// True: there is a request that nobody has sent; it counts as sent from now on. `why`: of a hold.
  bool take(sys::Text* name, sys::Text* why);
  [[nodiscard]] bool is_hold() const { return hold_; }
  /// error: empty: the snapshot is there.
  void answer(sys::Text error);
  /// There is no coordinator, or it was lost.
  void lost();
  /// In a forked child, whose thread waits for nothing.
  void reset();
  /// In a restarted process.
  void restarted();

 private:
  enum State : uint32_t { none, asked, sent, answered };

  int32_t ask(const char* name, const char* why, bool hold);
  void finish(int32_t result);

  uint32_t state_ = none;  // futex
  uint32_t busy_ = 0;      // futex: 1 while a thread is in ask()
  int32_t result_ = 0;
  int32_t ready_ = 0;      // the agent's thread serves requests
  uint32_t waking_ = 0;    // threads that may write to the number which wake_fd_ has, or had a moment ago
  int wake_fd_ = -1;
  bool hold_ = false;      // not a checkpoint
  char name_[256] = {};    // or what a hold is about
  char why_[512] = {};
  char error_[2048] = {};
};

}  // namespace cairn::agent
