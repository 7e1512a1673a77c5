// Stops all threads of this process but Cairn's own, without a signal that the application could see, and captures their
// state. A short-lived process that shares memory and descriptors with the application (the tracer) seizes each thread by
// ptrace; when it lets go, blocked system calls continue as if nothing had happened.
//
// A thread that is still on its way out of a restart, on a stack that no image has, is let run until it has arrived.
//
// A thread that another process of the computation traces is held by that one, on request (trace/request.h).
//
// Invariants: no thread's registers are made to run code of ours, so that the tracer may die at any moment (even by SIGKILL): the
// kernel then detaches and all threads run on. The exceptions return by themselves: threads that trace others (trace/service.h), those
// that have to be asked for their alternate stack (trace/alternate_stack.h), and those whose call was cut short (trace/cut_calls.h). The tracer gives up by itself at the deadline.
// Context: Cairn's own thread. Tests: test/probes (all), test/faults (tracer killed in each phase).
#pragma once
#include "sys/arena.h"
#include "sys/error.h"
#include "sys/context.h"
#include "trace/alternate_stack.h"
#include "trace/request.h"
#include "trace/service.h"

namespace cairn::checkpoint {

inline constexpr uint32_t max_threads = 16384;

struct ThreadState {
  int32_t real_tid;
  bool exited;          // a leader that has ended while others go on
  uint32_t exit_status; // its
  bool stopped;         // seized and in a stop
  int32_t stop_signal;  // what had stopped the whole process before (SIGSTOP, …); 0: nothing
  bool interrupted;     // its call ended with EINTR because of the stop: it has to begin anew
  sys::processor::Registers registers;
  char* xstate;         // the used part of a standard-format XSAVE area
  uint64_t xstate_size;
  uint64_t signal_mask;
  uint64_t robust_list;
  uint64_t robust_list_size;
  uint64_t rseq_address;
  uint32_t rseq_size;
  uint32_t rseq_signature;
  char name[16];        // comm
  bool has_alternate;   // the alternate stack, as it was asked for
  trace::AlternateStack alternate;
  trace::Request* traced;   // by the application: its tracer holds it for us
  trace::Slot* serving;     // it holds tracees of its own
  bool changed;             // it goes on with `registers` and `xstate` as they are then
};

class Stop {
 public:
  /// Memory for the tracer's stack and the threads' states comes from `arena` until it is rewound.
  /// virtual_tid: the name of a thread for the application.
  Stop(sys::Arena* arena, int32_t (*virtual_tid)(int32_t real_tid)) : arena_(arena), virtual_tid_(virtual_tid) {}

  /// Where threads are that come from a restart; the agent's arena is another such place.
  void expect_restart(uint64_t start, uint64_t size) {
    restart_start_ = start;
    restart_end_ = start + size;
  }

  /// Where a thread has the record of its alternate stack, from its thread pointer: who has none is asked.
  void find_alternate_stacks(uint64_t recorded_offset) { altstack_offset_ = recorded_offset; }

  /// Starts the tracer and returns when all threads are stopped. agent_tid: Cairn's own thread, which goes on.
  bool begin(int32_t agent_tid, uint64_t deadline_ns, sys::Error* error);
  /// Lets all threads go on and waits for the tracer's end.
  void end();
  /// Threads are stopped (and the tracer has not given up meanwhile).
  [[nodiscard]] bool active() const;
  /// Notes the signals that wait for delivery. Not before all processes are stopped: until then others send them, and children end.
  bool read_pending(sys::Error* error);
  /// The tracer stays until `deadline_ns` (CLOCK_MONOTONIC; 0: until end() is called).
  void extend(uint64_t deadline_ns);

  [[nodiscard]] int32_t tracer() const { return tracer_; }
  [[nodiscard]] uint32_t thread_count() const { return count_; }
  [[nodiscard]] const ThreadState& thread(uint32_t index) const { return threads_[index]; }
  /// Nanoseconds from the first thread's stop to the last one's going on; after end().
  [[nodiscard]] uint64_t held_ns() const { return released_ns_ - stopped_ns_; }
  [[nodiscard]] uint32_t stopped_threads() const;
  /// A thread of this process that goes on with other registers than it was stopped with; `registers` are those with which it would go on.
  void change_thread(uint32_t index, const sys::processor::Registers& registers) const {
    threads_[index].registers = registers;
    threads_[index].changed = true;
  }

 private:
  enum State : uint32_t { starting, stopped, asked, failed_state, release, ended };

  static void tracer_entry(void* self);
  void trace();
  bool stop_all();
  [[nodiscard]] bool tracer_lives() const;
  void record_signals();
  bool find_threads(bool* found_new);
  bool seize(int32_t tid);
  void note_exit(ThreadState* thread);
  bool wait_for_stop(ThreadState* thread);
  bool ask_tracer(ThreadState* thread);
  bool wait_for_tracer(ThreadState* thread);
  void let_tracees_go();
  void serve_requests();
  bool begin_service(ThreadState* thread);
  void end_service(ThreadState* thread);
  bool in_restart(int32_t tid) const;
  bool is_late_for_restart(int32_t tid);
  bool step_out_of_restart(ThreadState* thread);
  bool leave_restart(ThreadState* thread);
  bool capture(ThreadState* thread);
  bool capture_traced(ThreadState* thread);
  void capture_names(ThreadState* thread);
  bool is_to_be_asked(const ThreadState& thread) const;
  bool ask_alternate_stack(ThreadState* thread);
  void release_all();
  void give_registers(const ThreadState& thread);
  void reap();

  sys::Arena* arena_;
  int32_t (*virtual_tid_)(int32_t);
  ThreadState* threads_ = nullptr;
  uint32_t count_ = 0;
  uint32_t state_ = ended;        // futex between the agent's thread and the tracer
  uint32_t permitted_ = 0;        // futex: 1 once the tracer may trace
  int32_t tracer_ = 0;
  int32_t process_ = 0;
  int32_t agent_tid_ = 0;
  uint64_t altstack_offset_ = 0;
  bool altstacks_matter_ = false;
  uint64_t restart_start_ = 0;
  uint64_t restart_end_ = 0;
  uint64_t deadline_ns_ = 0;
  uint64_t stopped_ns_ = 0;
  uint64_t released_ns_ = 0;
  sys::Error* error_ = nullptr;
};

}  // namespace cairn::checkpoint
