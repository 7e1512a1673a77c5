#include "checkpoint/stop.h"

#include <elf.h>
#include <errno.h>
#include <linux/close_range.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "checkpoint/pending_signals.h"
#include "checkpoint/process_state.h"
#include <cairn/plugin.h>

#include "events/names.h"
#include "events/own_processes.h"
#include "sys/file.h"
#include "sys/futex.h"
#include "sys/proc.h"
#include "trace/again.h"
#include "trace/cut_calls.h"
#include "trace/tracees.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

namespace cairn::checkpoint {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Status;
using sys::Text;

namespace {

constexpr size_t tracer_stack = 128 * 1024;

struct RseqConfiguration {  // struct ptrace_rseq_configuration
  uint64_t address;
  uint32_t size;
  uint32_t signature;
  uint32_t flags;
  uint32_t pad;
};

/// The number in a line "NAME:\tN" of a file of /proc; 0: it is not there.
int32_t number_in(const char* path, Text name) {
  char text[4096];
  long size = sys::read_all(path, text, sizeof text);
  sys::TextReader reader(Text(text, failed(size) ? 0 : static_cast<size_t>(size)));
  while (!reader.done()) {
    Text line = reader.until('\n');
    if (!line.starts_with(name)) continue;
    uint64_t number = 0;
    sys::TextReader value(line.from(name.size));
    while (!value.done() && (value.rest().data[0] == ' ' || value.rest().data[0] == '\t')) value.skip(value.rest().data[0]);
    return value.number(&number) ? static_cast<int32_t>(number) : 0;
  }
  return 0;
}

bool is_of_computation(int32_t process) {
  int64_t virtual_pid, real_pid;
  for (uint32_t index = 0; events::next_name(CAIRN_NAMES_PROCESS, &index, &virtual_pid, &real_pid) == 0;) {
    if (real_pid == process) return true;
  }
  return false;
}

/// The state letter of /proc/PROCESS/task/TID/stat, 0 when the thread is gone.
char state_letter(int32_t process, int32_t tid) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process).add("/task/").number(tid).add("/stat");
  char line[512];
  long size = sys::read_all(path.c_str(), line, sizeof line);
  for (long at = size - 1; at > 0; --at) {
    if (line[at] == ')') return at + 2 < size ? line[at + 2] : 0;
  }
  return 0;
}

}  // namespace

bool Stop::begin(int32_t agent_tid, uint64_t deadline_ns, sys::Error* error) {
  trace::alternate_stack_done();  // of a tracer that was killed meanwhile
  error_ = error;
  agent_tid_ = agent_tid;
  process_ = static_cast<int32_t>(call(SYS_getpid));
  deadline_ns_ = deadline_ns;
  count_ = 0;
  trace::forget_kept();
  trace::forget_traced();
  threads_ = arena_->array<ThreadState>(max_threads);
  char* stack = static_cast<char*>(arena_->allocate(tracer_stack));
  if (threads_ == nullptr || stack == nullptr) {
    error->set(-ENOMEM, "agent arena").add("no room for the threads' states");
    return false;
  }
  // A process that made itself undumpable cannot be traced, not even by its own kin.
  long dumpable = call(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
  if (dumpable != 1) call_unchecked(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);

  altstacks_matter_ = trace::alternate_stacks_matter();
  state_ = starting;
  permitted_ = 0;
  // No exit signal: the application's SIGCHLD handler and waitpid do not learn of it.
  uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED;
  long child = sys::processor::clone_with_stack(flags, stack + tracer_stack, tracer_entry, this, nullptr);
  if (failed(child)) {
    error->set(static_cast<Status>(child), "clone").add("cannot start the process that stops the threads");
    return false;
  }
  tracer_ = static_cast<int32_t>(child);
  events::note_own_process(tracer_);
  call_unchecked(SYS_prctl, PR_SET_PTRACER, tracer_, 0, 0, 0);  // for Yama; without it the call fails harmlessly
  sys::store_and_wake(&permitted_, 1);
  while (sys::load(&state_) == starting) {
    // A tracer that was killed never changes the state: look for its end from time to time.
    sys::wait_while(&state_, starting, sys::now_ns() + 20'000'000);
    if (sys::load(&state_) == starting &&
        (call(SYS_wait4, tracer_, nullptr, WNOHANG | __WALL, nullptr) == tracer_ || sys::now_ns() > deadline_ns)) {
      error->set(-ECHILD, "tracer").add(sys::now_ns() > deadline_ns
          ? "the threads could not be stopped in time; the computation runs on"
          : "the process that stops the threads was killed; the computation runs on");
      call_unchecked(SYS_kill, tracer_, SIGKILL);
      state_ = failed_state;
    }
  }
  call_unchecked(SYS_prctl, PR_SET_PTRACER, 0, 0, 0, 0);
  if (dumpable >= 0 && dumpable != 1) call_unchecked(SYS_prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
  if (sys::load(&state_) == stopped) return true;
  reap();
  return false;
}

void Stop::end() {
  if (tracer_ == 0) return;
  if (sys::load(&state_) == stopped) {
    uint32_t expected = stopped;
    if (__atomic_compare_exchange_n(&state_, &expected, release, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      sys::store_and_wake(&state_, release);
    }
  }
  reap();
  let_tracees_go();  // also when the tracer was killed
  if (released_ns_ < stopped_ns_) released_ns_ = sys::now_ns();
}

bool Stop::active() const {
  return tracer_ != 0 && sys::load(&state_) == stopped && tracer_lives();
}

/// Without taking it away from reap().
bool Stop::tracer_lives() const {
  char letter = state_letter(tracer_, tracer_);
  return letter != 0 && letter != 'Z' && letter != 'X';
}

bool Stop::read_pending(sys::Error* error) {
  uint32_t expected = stopped;
  if (__atomic_compare_exchange_n(&state_, &expected, asked, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    sys::store_and_wake(&state_, asked);
    while (sys::load(&state_) == asked && tracer_lives()) {
      sys::wait_while(&state_, asked, sys::now_ns() + 20'000'000);
    }
  }
  if (sys::load(&state_) == stopped) {
    if (pending_is_whole()) return true;
    error->set(-ENOMEM, "signals").add("no memory for the signals that wait to be delivered");
    return false;
  }
  error->set(-ECHILD, "tracer").add("the process that held the threads was killed; the computation runs on");
  return false;
}

void Stop::extend(uint64_t deadline_ns) { __atomic_store_n(&deadline_ns_, deadline_ns, __ATOMIC_RELEASE); }

uint32_t Stop::stopped_threads() const {
  uint32_t stopped_count = 0;
  for (uint32_t i = 0; i < count_; ++i) stopped_count += threads_[i].stopped ? 1 : 0;
  return stopped_count;
}

void Stop::reap() {
  while (call(SYS_wait4, tracer_, nullptr, __WALL, nullptr) == -EINTR) {
  }
  events::forget_own_process(tracer_);
  tracer_ = 0;
}

// ---- From here on: in the tracer --------------------------------------------------------------------------------------

void Stop::tracer_entry(void* self) {
  auto* stop = static_cast<Stop*>(self);
  events::be_own_process();
  // Threads that are killed while they are traced stay zombies for their tracer: it must not outlive the agent's thread.
  call_unchecked(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (call(SYS_getppid) != stop->process_) call_unchecked(SYS_exit_group, 0);
  // A table of descriptors of its own: threads still run, and must not see among theirs what is opened here for a moment.
  if (failed(call(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE))) call_unchecked(SYS_unshare, CLONE_FILES);
  sys::wait_while(&stop->permitted_, 0, 0);
  stop->trace();
}

void Stop::trace() {
  if (!stop_all()) {
    release_all();
    sys::store_and_wake(&state_, failed_state);
    return;
  }
  sys::store_and_wake(&state_, stopped);
  for (;;) {
    uint64_t deadline = __atomic_load_n(&deadline_ns_, __ATOMIC_ACQUIRE);
    uint64_t now = sys::now_ns();
    if (deadline != 0 && now >= deadline) break;
    // Short waits: the deadline may be extended meanwhile, and somebody ask for what this process traces.
    uint64_t nap = 100'000'000;
    if (trace::any()) {
      serve_requests();
      nap = now - stopped_ns_ < 10'000'000'000 ? 1'000'000 : 20'000'000;
    }
    if (!sys::wait_while(&state_, stopped, now + nap)) continue;
    if (sys::load(&state_) != asked) break;
    record_signals();
    sys::store_and_wake(&state_, stopped);
  }
  release_all();
  sys::store_and_wake(&state_, ended);
}

bool Stop::stop_all() {
  stopped_ns_ = sys::now_ns();
  released_ns_ = 0;
  bool found_new = true;
  // A thread that was stopped while it created another one leaves a new thread behind: look again until there is none.
  while (found_new) {
    uint32_t before = count_;
    if (!find_threads(&found_new)) return false;
    for (uint32_t i = before; i < count_; ++i) {
      if (!wait_for_stop(&threads_[i])) return false;
    }
    // Last, when nobody else takes processors from them.
    for (uint32_t i = before; i < count_; ++i) {
      if (!leave_restart(&threads_[i])) return false;
    }
  }
  for (uint32_t i = 0; i < count_; ++i) {
    if (!capture(&threads_[i])) return false;
    if (altstacks_matter_ && is_to_be_asked(threads_[i]) && !ask_alternate_stack(&threads_[i])) return false;
  }
  return true;
}

void Stop::record_signals() {
  forget_pending();
  bool shared_recorded = false;
  for (uint32_t i = 0; i < count_; ++i) {
    if (!threads_[i].stopped) continue;
    if (const trace::Request* traced = threads_[i].traced) {
      for (uint32_t at = 0; at < traced->answer.pending_count; ++at) {
        bool shared = traced->answer.pending_shared[at] != 0;
        if (!shared || !shared_recorded) add_pending(shared ? 0 : virtual_tid_(threads_[i].real_tid), traced->answer.pending[at], virtual_tid_);
      }
      shared_recorded = true;
      continue;
    }
    record_pending(threads_[i].real_tid, false, virtual_tid_);
    if (!shared_recorded) record_pending(threads_[i].real_tid, true, virtual_tid_);
    shared_recorded = true;
  }
}

bool Stop::find_threads(bool* found_new) {
  *found_new = false;
  bool ok = true;
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process_).add("/task");
  Status status = sys::for_each_entry(path.c_str(), [&](Text name) {
    uint64_t number = 0;
    sys::TextReader(name).number(&number);
    int32_t tid = static_cast<int32_t>(number);
    if (tid == agent_tid_) return true;
    for (uint32_t i = 0; i < count_; ++i) {
      if (threads_[i].real_tid == tid) return true;
    }
    *found_new = true;
    ok = seize(tid);
    return ok;
  });
  if (status != 0) error_->set(status, path.text()).add("cannot list the threads");
  return ok && status == 0;
}

bool Stop::seize(int32_t tid) {
  if (count_ == max_threads) {
    error_->set(-EMFILE, "threads").add("more than ").number(max_threads).add(" threads");
    return false;
  }
  ThreadState* thread = &threads_[count_];
  memset(thread, 0, sizeof *thread);
  thread->real_tid = tid;
  long result = call(SYS_ptrace, PTRACE_SEIZE, tid, nullptr, nullptr);
  if (failed(result)) {
    char letter = state_letter(process_, tid);
    if (letter == 0) return true;  // it has ended meanwhile
    if (letter == 'Z' || letter == 'X') {
      if (tid == process_) {
        note_exit(thread);
        ++count_;
      }
      return true;
    }
    return ask_tracer(thread);
  }
  ++count_;
  if (failed(call(SYS_ptrace, PTRACE_INTERRUPT, tid, nullptr, nullptr))) return true;  // ended: seen by wait_for_stop
  return true;
}

void Stop::note_exit(ThreadState* thread) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process_).add("/task/").number(thread->real_tid).add("/stat");
  thread->exited = true;
  thread->exit_status = static_cast<uint32_t>(sys::stat_field(path.c_str(), sys::stat_exit_code) >> 8 & 0xff);
}

/// Somebody else traces the thread: it is held by whoever does, if that is a process of the computation.
bool Stop::ask_tracer(ThreadState* thread) {
  int32_t tid = thread->real_tid;
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process_).add("/task/").number(tid).add("/status");
  int32_t tracer = number_in(path.c_str(), "TracerPid:");
  if (tracer == 0) {
    error_->set(-EPERM, "ptrace").add("cannot stop thread ").number(tid).add(": this system forbids ptrace (see cairn doctor)");
    return false;
  }
  sys::TextBuffer<64> tracer_path;
  tracer_path.add("/proc/").number(tracer).add("/status");
  int32_t process = number_in(tracer_path.c_str(), "Tgid:");
  if (!is_of_computation(process)) {
    error_->set(-EPERM, "ptrace")
        .add("cannot stop thread ").number(tid).add(": it is traced by process ").number(process)
        .add(", a debugger that is no part of this computation; detach it, or start it with the program by cairn run");
    return false;
  }
  if (const char* why = trace::why_not_held()) {
    error_->set(-ENOTSUP, "ptrace")
        .add("thread ").number(virtual_tid_(tid)).add(" is traced by process ").number(virtual_tid_(process)).add(", and ").add(why)
        .add("; detach the debugger before the checkpoint");
    return false;
  }
  auto* request = static_cast<trace::Request*>(arena_->allocate(sizeof(trace::Request)));
  if (request == nullptr || !trace::add_traced(virtual_tid_(tid))) {
    error_->set(-ENOMEM, "agent arena").add("no room for the state of traced threads");
    return false;
  }
  request->state = trace::wanted;
  request->size = sizeof *request;
  request->real_tid = tid;
  request->reserved = process;
  thread->traced = request;
  ++count_;
  int32_t status = events::set_name(CAIRN_NAMES_TRACER, tid, tracer);
  if (status == 0) status = events::set_name(CAIRN_NAMES_TRACED, tid, static_cast<int64_t>(reinterpret_cast<uintptr_t>(request)));
  if (status != 0) error_->set(status, "names").add("no room to ask for a traced thread");
  return status == 0;
}

bool Stop::wait_for_tracer(ThreadState* thread) {
  trace::Request* request = thread->traced;
  for (;;) {
    uint32_t state = sys::load(&request->state);
    if (state == trace::held) {
      thread->stopped = true;
      return true;
    }
    if (state == trace::gone || state_letter(process_, thread->real_tid) == 0) return true;
    uint64_t deadline = __atomic_load_n(&deadline_ns_, __ATOMIC_ACQUIRE);
    bool late = deadline != 0 && sys::now_ns() + 500'000'000 >= deadline;
    if (state == trace::refused || state == trace::in_passing || late) {
      error_->set(late ? -ETIMEDOUT : state == trace::in_passing ? -EAGAIN : -EBUSY, "ptrace")
          .add("thread ").number(virtual_tid_(thread->real_tid)).add(" is traced by process ").number(virtual_tid_(request->reserved))
          .add(late ? Text(", which does not let go of it") : Text(" and "))
          .add(late ? Text("") : Text(request->answer.why))
          .add("; let it go on, or detach the debugger, before the checkpoint");
      return false;
    }
    struct timespec pause = {0, 200'000};
    call_unchecked(SYS_nanosleep, &pause, nullptr);
  }
}

void Stop::let_tracees_go() {
  for (uint32_t i = 0; i < count_; ++i) {
    trace::Request* request = threads_[i].traced;
    if (request == nullptr) continue;
    (void)events::remove_name(CAIRN_NAMES_TRACED, threads_[i].real_tid);
    (void)events::remove_name(CAIRN_NAMES_TRACER, threads_[i].real_tid);
    sys::store_and_wake(&request->state, trace::let_go);
  }
}

/// Other processes ask for threads that threads of this one trace.
void Stop::serve_requests() {
  int64_t tid, address, tracer;
  for (uint32_t index = 0; events::next_name(CAIRN_NAMES_TRACED, &index, &tid, &address) == 0;) {
    if (events::get_name(CAIRN_NAMES_TRACER, tid, &tracer) != 0) continue;
    for (uint32_t i = 0; i < count_; ++i) {
      ThreadState* thread = &threads_[i];
      if (thread->real_tid != tracer || !thread->stopped || thread->traced != nullptr) continue;
      if (thread->serving != nullptr || begin_service(thread)) {
        trace::add(thread->serving, static_cast<int32_t>(tid), static_cast<uint64_t>(address));
      }
    }
  }
}

/// Sends a thread that is stopped, and whose state is known, to serve its tracees.
bool Stop::begin_service(ThreadState* thread) {
  int32_t tid = thread->real_tid, tracer = tracer_;
  thread->serving = trace::take_slot(tid, tracer, thread->registers, thread->xstate, thread->xstate_size, thread->signal_mask);
  if (thread->serving == nullptr) return false;
  sys::processor::Registers registers = thread->registers;
  trace::enter(thread->serving, &registers);
  struct iovec area = {&registers, sizeof registers};
  uint64_t all = ~uint64_t{0};
  if (failed(call(SYS_ptrace, PTRACE_SETREGSET, tid, NT_PRSTATUS, &area))) return false;
  call_unchecked(SYS_ptrace, PTRACE_SETSIGMASK, tid, sizeof all, &all);
  call_unchecked(SYS_ptrace, PTRACE_CONT, tid, nullptr, nullptr);
  return true;
}

/// It returns by itself to what it did; to be let go by ptrace a thread has to be stopped.
void Stop::end_service(ThreadState* thread) {
  trace::release(thread->serving);
  call_unchecked(SYS_ptrace, PTRACE_INTERRUPT, thread->real_tid, nullptr, nullptr);
  thread->stopped = false;
  (void)wait_for_stop(thread);
}

bool Stop::wait_for_stop(ThreadState* thread) {
  if (thread->exited) return true;
  if (thread->traced != nullptr) return wait_for_tracer(thread);
  for (;;) {
    int status = 0;
    long result = call(SYS_wait4, thread->real_tid, &status, __WALL, nullptr);
    if (result == -EINTR) continue;
    if (failed(result) || WIFEXITED(status) || WIFSIGNALED(status)) {
      if (thread->real_tid == process_ && state_letter(process_, process_) == 'Z') note_exit(thread);
      return true;
    }
    if (status >> 16 == PTRACE_EVENT_STOP) {
      thread->stopped = true;
      thread->stop_signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
      return true;
    }
    // It is about to take a signal: let it, the requested stop follows at once.
    call_unchecked(SYS_ptrace, PTRACE_CONT, thread->real_tid, nullptr, WSTOPSIG(status));
  }
}

/// No thread of the application has its stack there, except in agent/restarted_thread.cc.
bool Stop::in_restart(int32_t tid) const {
  sys::processor::Registers registers;
  if (failed(sys::processor::read_registers(tid, &registers))) return false;
  uint64_t stack = sys::processor::stack_of(registers);
  // A stack that is empty, or used up to its last byte, begins and ends at its bounds.
  if (trace::in_service(stack) || trace::asks_for_alternate_stack(stack)) return true;
  auto within = [&](uint64_t start, uint64_t end) { return end > start && stack >= start && stack <= end; };
  return within(arena_->start(), arena_->end()) || within(restart_start_, restart_end_);
}

bool Stop::is_late_for_restart(int32_t tid) {
  uint64_t deadline = __atomic_load_n(&deadline_ns_, __ATOMIC_ACQUIRE);
  if (deadline == 0 || sys::now_ns() < deadline) return false;
  error_->set(-ETIMEDOUT, "restart").add("thread ").number(tid).add(" has not yet gone on after the restart");
  return true;
}

/// Of a process that is stopped by a signal: instruction by instruction, since nothing of the program's own may be executed.
bool Stop::step_out_of_restart(ThreadState* thread) {
  int32_t tid = thread->real_tid;
  int signal = 0;
  for (uint64_t looks = 0; signal == 0 && in_restart(tid);) {
    if (failed(call(SYS_ptrace, PTRACE_SINGLESTEP, tid, nullptr, nullptr))) break;
    int status = 0;
    long result;
    while ((result = call(SYS_wait4, tid, &status, __WALL | WNOHANG, nullptr)) == 0 || result == -EINTR) {
      // It waits for others, or this is to be given up.
      if (++looks % 1024 != 0) continue;
      if (is_late_for_restart(tid)) return false;
      struct timespec pause = {0, 50'000};
      call_unchecked(SYS_nanosleep, &pause, nullptr);
    }
    if (failed(result) || WIFEXITED(status) || WIFSIGNALED(status)) {
      thread->stopped = false;
      return true;
    }
    siginfo_t info = {};
    bool by_step = status >> 16 == PTRACE_EVENT_STOP || (WSTOPSIG(status) == SIGTRAP && !failed(call(SYS_ptrace, PTRACE_GETSIGINFO, tid, nullptr, &info)) && info.si_code > 0);
    // The first of the program's signals that waited, which it is about to take.
    if (!by_step) signal = WSTOPSIG(status);
  }
  // The stop that is told as one of the whole process. It comes before anything else.
  thread->stopped = false;
  call_unchecked(SYS_ptrace, PTRACE_INTERRUPT, tid, nullptr, nullptr);
  call_unchecked(SYS_ptrace, PTRACE_CONT, tid, nullptr, signal);
  return wait_for_stop(thread);
}

bool Stop::leave_restart(ThreadState* thread) {
  while (thread->stopped && in_restart(thread->real_tid)) {
    if (is_late_for_restart(thread->real_tid)) return false;
    if (thread->stop_signal != 0) return step_out_of_restart(thread);
    thread->stopped = false;
    call_unchecked(SYS_ptrace, PTRACE_CONT, thread->real_tid, nullptr, nullptr);
    struct timespec pause = {0, 100'000};
    call_unchecked(SYS_nanosleep, &pause, nullptr);
    call_unchecked(SYS_ptrace, PTRACE_INTERRUPT, thread->real_tid, nullptr, nullptr);
    if (!wait_for_stop(thread)) return false;
  }
  return true;
}

bool Stop::capture(ThreadState* thread) {
  if (!thread->stopped) return true;
  int32_t tid = thread->real_tid;
  if (thread->traced != nullptr) return capture_traced(thread);
  long result = sys::processor::read_registers(tid, &thread->registers);
  if (result == -ENOTSUP) {
    error_->set(-ENOTSUP, "modify_ldt").add("thread ").number(tid)
        .add(" runs in another mode of the processor than its program, or with segments of its own (modify_ldt)");
    return false;
  }
  if (!failed(result)) {
    alignas(64) char xstate[sys::processor::max_xstate];
    struct iovec area = {xstate, sizeof xstate};
    result = call(SYS_ptrace, PTRACE_GETREGSET, tid, NT_X86_XSTATE, &area);
    uint64_t features = 0;
    if (!failed(result)) thread->xstate_size = sys::processor::used_xstate(xstate, area.iov_len, &features);
    thread->xstate = static_cast<char*>(arena_->allocate(thread->xstate_size));
    if (thread->xstate == nullptr) {
      error_->set(-ENOMEM, "agent arena").add("no room for the state of ").number(count_).add(" threads");
      return false;
    }
    memcpy(thread->xstate, xstate, thread->xstate_size);
  }
  if (!failed(result)) {
    result = call(SYS_ptrace, PTRACE_GETSIGMASK, tid, sizeof thread->signal_mask, &thread->signal_mask);
  }
  if (failed(result)) {
    error_->set(static_cast<Status>(result), "ptrace").add("cannot read the state of thread ").number(tid);
    return false;
  }
  RseqConfiguration rseq = {};
  if (!failed(call(SYS_ptrace, PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof rseq, &rseq))) {
    thread->rseq_address = rseq.address;
    thread->rseq_size = rseq.size;
    thread->rseq_signature = rseq.signature;
  }
  capture_names(thread);
  if (trace::continue_cut_call(process_, tid, &thread->registers)) (void)sys::processor::write_registers(tid, thread->registers);
  if (sys::processor::ended_by_stop(thread->registers)) {
    thread->interrupted = true;
    sys::processor::Registers anew = thread->registers;
    sys::processor::begin_call_anew(&anew, sys::processor::call_number(anew));
    (void)sys::processor::write_registers(tid, anew);
  }
  return true;
}

void Stop::capture_names(ThreadState* thread) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process_).add("/task/").number(thread->real_tid).add("/comm");
  char name[32];
  long size = sys::read_all(path.c_str(), name, sizeof name);
  if (size > 1 && size <= 16) memcpy(thread->name, name, static_cast<size_t>(size - 1));
  call_unchecked(SYS_get_robust_list, thread->real_tid, &thread->robust_list, &thread->robust_list_size);
}

/// Not who has told our wrapper, nor who may not make the calls, or would lose its place in a restartable sequence.
bool Stop::is_to_be_asked(const ThreadState& thread) const {
  if (!thread.stopped || thread.traced != nullptr || thread.stop_signal != 0) return false;
  uint64_t descriptor = sys::processor::thread_pointer_of(thread.registers);
  uintptr_t self = 0;
  RecordedAltstack recorded = {};
  bool of_libc = descriptor != 0 && sys::processor::peek(descriptor + 2 * sizeof(void*), &self, sizeof self) && self == descriptor;
  if (of_libc && sys::processor::peek(descriptor + altstack_offset_, &recorded, sizeof recorded) && recorded.set != 0) return false;
  uint64_t sequence = 0;
  if (thread.rseq_address != 0 && (!sys::processor::peek(thread.rseq_address + 8, &sequence, sizeof sequence) || sequence != 0)) return false;
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process_).add("/task/").number(thread.real_tid).add("/status");
  return number_in(path.c_str(), "Seccomp:") == 0;
}

bool Stop::ask_alternate_stack(ThreadState* thread) {
  int32_t tid = thread->real_tid;
  sys::processor::Registers before;
  if (failed(sys::processor::read_registers(tid, &before))) return true;
  if (!trace::ask_alternate_stack(tid, static_cast<int32_t>(call(SYS_getpid)), before, thread->xstate, thread->xstate_size, thread->signal_mask)) return true;
  bool late = false;
  while (!(thread->has_alternate = trace::alternate_stack_told(&thread->alternate)) && !late && state_letter(process_, tid) != 0) {
    uint64_t deadline = __atomic_load_n(&deadline_ns_, __ATOMIC_ACQUIRE);
    late = deadline != 0 && sys::now_ns() >= deadline;
    // A stop signal that has come since the first stop finds only this thread running: it is delivered, and the answer still comes.
    int status = 0;
    if (call(SYS_wait4, tid, &status, WNOHANG | __WALL, nullptr) == tid) {
      if (WIFEXITED(status) || WIFSIGNALED(status)) break;
      call_unchecked(SYS_ptrace, PTRACE_CONT, tid, nullptr, status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status));
    }
    call_unchecked(SYS_sched_yield);
  }
  call_unchecked(SYS_ptrace, PTRACE_INTERRUPT, tid, nullptr, nullptr);
  thread->stopped = false;
  bool waited = wait_for_stop(thread);
  // With what the kernel has of the call that it was in, which goes on from there.
  if (thread->stopped) {
    (void)sys::processor::write_registers(tid, before);
    call_unchecked(SYS_ptrace, PTRACE_SETSIGMASK, tid, sizeof thread->signal_mask, &thread->signal_mask);
  }
  trace::alternate_stack_done();
  if (late) error_->set(-ETIMEDOUT, "sigaltstack").add("thread ").number(virtual_tid_(tid)).add(" could not be asked for its alternate stack in time");
  return waited && !late;
}

/// What its tracer has told.
bool Stop::capture_traced(ThreadState* thread) {
  const trace::Answer& answer = thread->traced->answer;
  thread->registers = answer.registers;
  thread->xstate = const_cast<char*>(answer.xstate);
  thread->xstate_size = answer.xstate_size;
  thread->signal_mask = answer.signal_mask;
  thread->rseq_address = answer.rseq_address;
  thread->rseq_size = answer.rseq_size;
  thread->rseq_signature = answer.rseq_signature;
  thread->interrupted = answer.interrupted != 0;
  capture_names(thread);
  return true;
}

void Stop::give_registers(const ThreadState& thread) {
  (void)sys::processor::write_registers(thread.real_tid, thread.registers);
  // The kernel takes an area as a whole: what is behind the part in use stays.
  alignas(64) char xstate[sys::processor::max_xstate];
  struct iovec area = {xstate, sizeof xstate};
  if (failed(call(SYS_ptrace, PTRACE_GETREGSET, thread.real_tid, NT_X86_XSTATE, &area)) || area.iov_len < thread.xstate_size) return;
  memcpy(xstate, thread.xstate, thread.xstate_size);
  call_unchecked(SYS_ptrace, PTRACE_SETREGSET, thread.real_tid, NT_X86_XSTATE, &area);
}

void Stop::release_all() {
  let_tracees_go();
  for (uint32_t i = 0; i < count_; ++i) {
    if (threads_[i].traced != nullptr) continue;
    if (threads_[i].serving != nullptr) end_service(&threads_[i]);
    if (threads_[i].changed) give_registers(threads_[i]);
    if (!threads_[i].exited) call_unchecked(SYS_ptrace, PTRACE_DETACH, threads_[i].real_tid, nullptr, nullptr);
  }
  released_ns_ = sys::now_ns();
}

}  // namespace cairn::checkpoint
