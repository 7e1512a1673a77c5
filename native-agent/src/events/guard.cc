#include "events/guard.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "events/own_processes.h"
#include "sys/context.h"
#include "sys/futex.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

namespace cairn::events {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;

constexpr uint64_t patience_ns = 1'000'000'000;  // for the watcher's start

struct Guarded {
  const char* name;
  int32_t signal;
};
constexpr Guarded guarded[] = {{"SIGSEGV", SIGSEGV}, {"SIGBUS", SIGBUS}, {"SIGILL", SIGILL},
                               {"SIGFPE", SIGFPE},   {"SIGABRT", SIGABRT}, {"SIGTRAP", SIGTRAP}};
constexpr uint32_t guarded_count = sizeof guarded / sizeof guarded[0];

/// A callback that is running; one may lead to another plugin's.
struct Frame {
  Frame* outer;
  Fault fault;
  void* place[5];
};
Frame* innermost = nullptr;
/// Of each guarded signal one that came for the application while a callback ran; si_signo 0: none.
siginfo_t waiting[guarded_count] = {};

/// The kernel's struct sigaction, of any processor: its handler comes first.
struct Disposition {
  uintptr_t handler;
  uintptr_t rest[7];
};
constexpr uint64_t mask_size = 8;

enum State : uint32_t { off, starting, watching, impossible };
uint32_t state = off;      // futex between the agent's thread and the watcher
uint32_t permitted = 0;    // futex: 1 once the watcher may trace
int32_t watcher = 0;
int32_t process = 0;
int32_t watched = 0;
alignas(16) char watcher_stack[32 * 1024];
alignas(16) char landing_stack[4096];

// ---- In the watcher ----------------------------------------------------------------------------------------------------

/// The agent's thread, sent here by the watcher.
[[noreturn]] void land() { __builtin_longjmp(innermost->place, 1); }

/// True: the thread goes on without the signal.
bool lead_back(int32_t signal) {
  if (innermost == nullptr || fault_name(signal)[0] == 0) return false;
  sys::processor::Registers registers = {};
  siginfo_t info = {};
  if (failed(call(SYS_ptrace, PTRACE_GETSIGINFO, watched, nullptr, &info)) ||
      failed(sys::processor::read_registers(watched, &registers))) {
    return false;
  }
  // Sent by somebody, to the application.
  if (info.si_code <= 0 && signal != SIGABRT) {
    for (uint32_t i = 0; i < guarded_count; ++i) {
      if (guarded[i].signal == signal) waiting[i] = info;
    }
    return true;
  }
  innermost->fault.signal = signal;
  innermost->fault.address = signal == SIGSEGV || signal == SIGBUS ? reinterpret_cast<uintptr_t>(info.si_addr) : 0;
  // As a function is entered: the stack is aligned but for the return address.
  uintptr_t stack = reinterpret_cast<uintptr_t>(landing_stack + sizeof landing_stack) - 64 - sizeof(void*);
  sys::processor::go_to(&registers, reinterpret_cast<uintptr_t>(land), stack);
  return !failed(sys::processor::write_registers(watched, registers));
}

void watch(void*) {
  be_own_process();
  // It must not outlive the agent's thread.
  call_unchecked(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (call(SYS_getppid) != process) call_unchecked(SYS_exit_group, 0);
  if (failed(call(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE))) call_unchecked(SYS_unshare, CLONE_FILES);
  sys::wait_while(&permitted, 0, 0);
  bool seized = !failed(call(SYS_ptrace, PTRACE_SEIZE, watched, nullptr, nullptr));
  sys::store_and_wake(&state, seized ? watching : impossible);
  while (seized) {
    int32_t status = 0;
    long seen = call(SYS_wait4, watched, &status, __WALL, nullptr);
    if (seen == -EINTR) continue;
    if (seen != watched || !WIFSTOPPED(status)) break;
    int32_t signal = WSTOPSIG(status);
    // A stop of the whole process, by job control, is none for this thread as long as it is at work.
    if (status >> 16 != 0 || lead_back(signal)) signal = 0;
    call_unchecked(SYS_ptrace, PTRACE_CONT, watched, nullptr, signal);
  }
  call_unchecked(SYS_exit_group, 0);
}

// ---- In the agent's thread ---------------------------------------------------------------------------------------------

bool start() {
  process = static_cast<int32_t>(call(SYS_getpid));
  watched = static_cast<int32_t>(call(SYS_gettid));
  state = starting;
  permitted = 0;
  // A process that made itself undumpable cannot be traced, not even by its own kin.
  long dumpable = call(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
  if (dumpable != 1) call_unchecked(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED;
  long child = sys::processor::clone_with_stack(flags, watcher_stack + sizeof watcher_stack, watch, nullptr, nullptr);
  if (failed(child)) {
    state = impossible;
  } else {
    watcher = static_cast<int32_t>(child);
    call_unchecked(SYS_prctl, PR_SET_PTRACER, watcher, 0, 0, 0);  // for Yama; without it the call fails harmlessly
    sys::store_and_wake(&permitted, 1);
    sys::wait_while(&state, starting, sys::now_ns() + patience_ns);
    call_unchecked(SYS_prctl, PR_SET_PTRACER, 0, 0, 0, 0);
  }
  if (dumpable >= 0 && dumpable != 1) call_unchecked(SYS_prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
  return sys::load(&state) == watching;
}

/// Signals that the application's threads would have got.
void hand_on() {
  for (siginfo_t& one : waiting) {
    if (one.si_signo != 0) call_unchecked(SYS_rt_sigqueueinfo, process, one.si_signo, &one);
    one.si_signo = 0;
  }
}

/// The call of __builtin_setjmp has a function of its own: what its caller keeps in registers is whole afterwards.
[[gnu::noinline]] bool run(Frame* frame, void (*work)(void*), void* context) {
  if (__builtin_setjmp(frame->place) != 0) return false;
  innermost = frame;
  work(context);
  return true;
}

}  // namespace

const char* fault_name(int32_t signal) {
  for (const Guarded& one : guarded) {
    if (one.signal == signal) return one.name;
  }
  return "";
}

bool run_guarded(void (*work)(void*), void* context, Fault* fault) {
  if (sys::load(&state) != watching && (state == impossible || !start())) {
    work(context);
    return true;
  }
  Disposition before[guarded_count] = {};
  for (uint32_t i = 0; i < guarded_count; ++i) call_unchecked(SYS_rt_sigaction, guarded[i].signal, nullptr, &before[i], mask_size);
  // A fault of a signal that is blocked would make the kernel take the application's handler back, of which a thread of its may be in
  // need that moment. abort() unblocks its own.
  uint64_t open = ~uint64_t{0}, mask = 0;
  for (const Guarded& one : guarded) {
    if (one.signal != SIGABRT) open &= ~(uint64_t{1} << (one.signal - 1));
  }
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &open, &mask, mask_size);
  Frame frame = {innermost, {}, {}};
  bool whole = run(&frame, work, context);
  innermost = frame.outer;
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, mask_size);
  if (innermost == nullptr) hand_on();
  if (whole) return true;
  *fault = frame.fault;
  for (uint32_t i = 0; i < guarded_count; ++i) {
    Disposition now = {};
    if (guarded[i].signal != fault->signal || failed(call(SYS_rt_sigaction, guarded[i].signal, nullptr, &now, mask_size))) continue;
    if (now.handler == 0 && before[i].handler != 0) call_unchecked(SYS_rt_sigaction, guarded[i].signal, &before[i], nullptr, mask_size);
  }
  return false;
}

void end_guard() {
  if (watcher != 0) {
    // The kernel detaches.
    call_unchecked(SYS_kill, watcher, SIGKILL);
    while (call(SYS_wait4, watcher, nullptr, __WALL, nullptr) == -EINTR) {
    }
    forget_own_process(watcher);
  }
  forget_guard();
}

void forget_guard() {
  watcher = 0;
  state = off;
  innermost = nullptr;
  for (siginfo_t& one : waiting) one.si_signo = 0;
}

}  // namespace cairn::events
