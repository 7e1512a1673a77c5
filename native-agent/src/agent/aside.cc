#include "agent/aside.h"

#include <errno.h>
#include <sched.h>

#include "sys/syscall.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

namespace cairn::agent {
namespace {

constexpr size_t stack_size = 64 * 1024;

struct Job {
  void (*run)(void* context);
  void* context;
};

void enter(void* argument) {
  auto* job = static_cast<Job*>(argument);
  // An empty table. A copy, where the kernel is before 5.9, would keep for a moment open what the application closes.
  if (sys::failed(sys::call(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE))) sys::call_unchecked(SYS_unshare, CLONE_FILES);
  job->run(job->context);
}

}  // namespace

void run_aside(sys::Arena* arena, const sys::processor::ThreadPointers& pointers, void (*run)(void* context), void* context) {
  size_t mark = arena->used();
  char* stack = static_cast<char*>(arena->allocate(stack_size));
  Job job = {run, context};
  // This thread stands still until the other one has ended, and so may lend it its thread descriptor.
  constexpr uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_UNTRACED | CLONE_VFORK;
  long tid = stack == nullptr ? -ENOMEM : sys::processor::clone_with_stack(flags, stack + stack_size, enter, &job, &pointers);
  if (sys::failed(tid)) run(context);
  arena->rewind(mark);
}

}  // namespace cairn::agent
