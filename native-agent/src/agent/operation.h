// One checkpoint, hold or restart, phase by phase, as the coordinator asks. Whatever fails, abort() lets the application run
// on as before. Context: the agent's thread.
#pragma once
#include "agent/agent.h"
#include "agent.pb.h"
#include "agent/family.h"
#include "events/calls.h"
#include "events/exchange.h"

namespace cairn::agent {

/// The application's name for a process or thread of this kernel, and back; the same where there is none.
int32_t virtual_id(int32_t real);
int32_t real_id(int32_t virtual_id);

class Operation {
 public:
  explicit Operation(Agent* agent) : agent_(agent), arena_(&agent->arena_), stop_(arena_, virtual_id) {}

  void handle(uint64_t id, sys::Text body);
  /// After the coordinator was lost, or on request: run on. A process that is being restarted ends, with `end_status` if that is not 0.
  void abort(bool asked = false, int end_status = 0);
  /// In a process that has just begun (after a fork or a restart): whatever was going on in the original is not going on here.
  void reset() {
    stop_ = checkpoint::Stop(arena_, virtual_id);
    trace::reset_services();
    progress_ = none;
    failed_ = false;
    held_ns_ = 0;
    stopped_handoff_ = nullptr;
    stop_due_ = release_due_ = false;
    said_to_ = 2;
    failure_.clear();
    events::forget_exchange();
    events::forget_calls();
  }
  [[nodiscard]] bool holds_threads() const { return progress_ == suspended; }
  /// The threads go on after a stop; the coordinator has not yet said that all processes' do.
  [[nodiscard]] bool awaits_running() const { return progress_ == saved; }
  /// A restart has stopped the process again (job_stop.h): its threads go on when SIGCONT has come.
  [[nodiscard]] bool awaits_continue() const { return stopped_handoff_ != nullptr && !release_due_; }
  void look_for_continue();
  /// While the threads are held: as host->in_copy.
  int64_t in_copy(int64_t (*job)(void* context, void* result, uint64_t capacity), void* context, void* result, uint64_t capacity);
  /// Between operations, or while the threads are held: all threads are stopped while job() runs. What it gives; -errno: they could not be stopped.
  int32_t while_stopped(int32_t (*job)(void* context, const checkpoint::Stop& stop), void* context, sys::Error* error);

 private:
  enum Progress { none, presuspended, suspended, saved, restarting, restarted };

  bool run(const cairn_agent_PhaseRequest& request, sys::Text barrier, sys::Text folder, sys::Text snapshot);
  /// True, and says so: the application is in a critical section.
  bool forbidden();
  /// One of ours that could not start, without which the process cannot be saved.
  bool lacks_plugin();
  bool presuspend();
  bool suspend(uint64_t deadline_ns, bool alone);
  bool save(sys::Text folder, sys::Text snapshot, bool synchronous, bool goes_on);
  bool capture(const checkpoint::SaveRequest& request);
  bool resume();
  bool running();
  bool restart();
  bool fail_order(const char* phase);
  void release_threads();
  void end_stop();

  Agent* agent_;
  sys::Arena* arena_;
  checkpoint::Stop stop_;
  sys::Error error_;    // of the phase
  sys::Error failure_;  // the first one of the operation: what comes after it is its consequence
  Family family_;  // as the last suspend found it; its list is in the arena
  Progress progress_ = none;
  bool failed_ = false;  // a phase of this operation failed: only ABORT is left
  uint64_t operation_ = 0;
  size_t arena_mark_ = 0;
  uint64_t held_ns_ = 0;
  image::Handoff* stopped_handoff_ = nullptr;  // of threads that wait after a restart
  int said_to_ = 2;                            // where a failed restart is told: descriptor 2, while the application's are not back
  bool stop_due_ = false;                      // the process is to be stopped when the reply has been sent
  bool release_due_ = false;                   // the threads wait until all processes are ready for theirs to run
};

}  // namespace cairn::agent
