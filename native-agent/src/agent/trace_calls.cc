// The wrapper of ptrace(2): the application's ids are virtual ones, also those that come back (a new child's, a signal's sender's), and
// the table of tracees (trace/tracees.h) learns how each is attached and let go on. Context: any; no lock, no allocation.
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/ptrace.h>

#include "agent/operation.h"
#include "trace/tracees.h"

namespace cairn::agent {
namespace {

using Ptrace = long (*)(enum __ptrace_request, ...);
Ptrace next_ptrace = nullptr;

Ptrace below() {
  if (next_ptrace == nullptr) next_ptrace = reinterpret_cast<Ptrace>(dlsym(RTLD_NEXT, "ptrace"));
  return next_ptrace;
}

/// What the application reads into its own memory.
void show_virtual(long request, int32_t real, int32_t pid, void* data) {
  if (request == PTRACE_GETEVENTMSG) {
    siginfo_t info;
    auto* message = static_cast<unsigned long*>(data);
    if (trace::request(PTRACE_GETSIGINFO, real, 0, reinterpret_cast<uintptr_t>(&info)) != 0) return;
    int event = info.si_code >> 8;
    if (event < PTRACE_EVENT_FORK || event > PTRACE_EVENT_VFORK_DONE) return;
    *message = static_cast<unsigned long>(virtual_id(static_cast<int32_t>(*message)));
    // What it has begun is attached in the same way.
    trace::Tracee* parent = trace::find(pid, true);
    trace::Tracee* child = event == PTRACE_EVENT_EXEC || event == PTRACE_EVENT_VFORK_DONE ? nullptr : trace::find(static_cast<int32_t>(*message), true);
    if (parent != nullptr && child != nullptr) {
      child->seized = parent->seized;
      child->options = parent->options;
    }
  } else if (request == PTRACE_GETSIGINFO) {
    auto* info = static_cast<siginfo_t*>(data);
    if (trace::has_sender(*info)) info->si_pid = virtual_id(info->si_pid);
  }
}

void note(long request, int32_t pid, uint64_t data) {
  if (request == PTRACE_DETACH || request == PTRACE_KILL) {
    trace::forget(pid);
    return;
  }
  bool attaches = request == PTRACE_ATTACH || request == PTRACE_SEIZE;
  bool goes_on = request == PTRACE_CONT || request == PTRACE_SYSCALL || request == PTRACE_SINGLESTEP || request == PTRACE_SINGLEBLOCK ||
                 request == PTRACE_SYSEMU || request == PTRACE_SYSEMU_SINGLESTEP;
  if (!attaches && !goes_on && request != PTRACE_SETOPTIONS) return;
  trace::Tracee* tracee = trace::find(pid, true);
  if (tracee == nullptr) return;
  if (attaches) {
    tracee->seized = request == PTRACE_SEIZE ? 1 : 0;
    tracee->options = request == PTRACE_SEIZE ? static_cast<uint32_t>(data) : 0;
    tracee->request = PTRACE_CONT;
  } else if (goes_on) {
    tracee->request = static_cast<uint32_t>(request);
  } else {
    tracee->options = static_cast<uint32_t>(data);
  }
}

}  // namespace
}  // namespace cairn::agent

extern "C" __attribute__((visibility("default"))) long ptrace(enum __ptrace_request request, ...) noexcept {
  using namespace cairn;
  va_list list;
  va_start(list, request);
  int32_t pid = va_arg(list, int32_t);
  void* address = va_arg(list, void*);
  void* data = va_arg(list, void*);
  va_end(list);
  if (request == PTRACE_TRACEME) return agent::below()(request, pid, address, data);
  siginfo_t info;
  if (request == PTRACE_SETSIGINFO) {
    info = *static_cast<siginfo_t*>(data);
    if (trace::has_sender(info)) info.si_pid = agent::real_id(info.si_pid);
    data = &info;
  }
  bool goes_on = request == PTRACE_CONT || request == PTRACE_SYSCALL || request == PTRACE_SINGLESTEP;
  // Before the call: it may stop again, and the computation be stopped, before anything could be noted.
  if (goes_on) agent::note(request, pid, 0);
  for (;;) {
    int32_t real = agent::real_id(pid);
    long result = agent::below()(request, real, address, data);
    // A restart came in between.
    if (result == -1 && errno == ESRCH && agent::real_id(pid) != real) continue;
    if (result == 0) {
      agent::show_virtual(request, real, pid, data);
      if (!goes_on) agent::note(request, pid, reinterpret_cast<uintptr_t>(data));
    }
    return result;
  }
}
