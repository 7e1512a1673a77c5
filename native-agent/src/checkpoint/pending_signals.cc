#include "checkpoint/pending_signals.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

#include "sys/syscall.h"

namespace cairn::checkpoint {
namespace {

PendingSignal pending[max_pending];
uint32_t pending_count = 0;

/// Sent by a process (kill, sigqueue, …), whose id is in the siginfo.
bool has_sender(const siginfo_t& info) { return info.si_code <= 0 && info.si_code != SI_TIMER; }

}  // namespace

void forget_pending() { pending_count = 0; }

void add_pending(int32_t virtual_tid, siginfo_t info, int32_t (*virtual_id)(int32_t)) {
  if (pending_count == max_pending) return;
  pending[pending_count].virtual_tid = virtual_tid;
  if (has_sender(info)) info.si_pid = virtual_id(info.si_pid);
  memcpy(pending[pending_count].info, &info, sizeof info);
  ++pending_count;
}

void record_pending(int32_t real_tid, bool shared, int32_t (*virtual_id)(int32_t)) {
  __ptrace_peeksiginfo_args request = {};
  request.flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0;
  request.nr = 1;
  siginfo_t info;
  while (pending_count < max_pending && sys::call(SYS_ptrace, PTRACE_PEEKSIGINFO, real_tid, &request, &info) == 1) {
    add_pending(shared ? 0 : virtual_id(real_tid), info, virtual_id);
    ++request.off;
  }
}

void queue_pending(int32_t virtual_tid, int32_t real_pid, int32_t real_tid, bool leader, int32_t (*real_id)(int32_t)) {
  for (uint32_t i = 0; i < pending_count; ++i) {
    siginfo_t info;
    memcpy(&info, pending[i].info, sizeof info);
    // Sent by a process (kill, sigqueue, …): who receives it translates the sender's id back.
    if (has_sender(info)) info.si_pid = real_id(info.si_pid);
    if (pending[i].virtual_tid == virtual_tid) {
      sys::call_unchecked(SYS_rt_tgsigqueueinfo, real_pid, real_tid, info.si_signo, &info);
    } else if (pending[i].virtual_tid == 0 && leader) {
      sys::call_unchecked(SYS_rt_sigqueueinfo, real_pid, info.si_signo, &info);
    }
  }
}

}  // namespace cairn::checkpoint
