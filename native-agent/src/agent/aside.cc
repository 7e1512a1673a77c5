#include "agent/aside.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "events/own_processes.h"
#include "sys/context.h"
#include "sys/futex.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

namespace cairn::agent {
namespace {

using sys::call;
using sys::call_unchecked;

constexpr size_t stack_size = 64 * 1024;
constexpr uint64_t patience_ns = 3'000'000'000;

struct Job {
  void (*run)(void* context);
  void* context;
  int32_t process;
  uint32_t done;  // futex
};

void enter(void* argument) {
  auto* job = static_cast<Job*>(argument);
  events::be_own_process();
  call_unchecked(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (call(SYS_getppid) != job->process) call_unchecked(SYS_exit_group, 0);
  // An empty table. A copy, where the kernel is before 5.9, would keep for a moment open what the application closes.
  if (sys::failed(call(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE))) call_unchecked(SYS_unshare, CLONE_FILES);
  job->run(job->context);
  sys::store_and_wake(&job->done, 1);
  call_unchecked(SYS_exit_group, 0);
}

}  // namespace

void run_aside(sys::Arena* arena, void (*run)(void* context), void* context) {
  size_t mark = arena->used();
  char* stack = static_cast<char*>(arena->allocate(stack_size));
  Job job = {run, context, static_cast<int32_t>(call(SYS_getpid)), 0};
  // A process: a new thread would stand still where the process is stopped by a signal, with all its threads but Cairn's. Without a
  // signal at its end: the application does not learn of it.
  constexpr uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED;
  long child = stack == nullptr ? -ENOMEM : sys::processor::clone_with_stack(flags, stack + stack_size, enter, &job, nullptr);
  if (!sys::failed(child)) {
    (void)sys::wait_while(&job.done, 0, sys::now_ns() + patience_ns);
    // Where a signal has stopped it with its whole group, nothing else opens anything now.
    if (sys::load(&job.done) == 0) call_unchecked(SYS_kill, child, SIGKILL);
    while (call(SYS_wait4, child, nullptr, __WALL, nullptr) == -EINTR) {
    }
    events::forget_own_process(child);
  }
  if (sys::load(&job.done) == 0) run(context);
  arena->rewind(mark);
}

}  // namespace cairn::agent
