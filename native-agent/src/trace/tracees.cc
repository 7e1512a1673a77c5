#include "trace/tracees.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "agent/operation.h"
#include "sys/syscall.h"

namespace cairn::trace {
namespace {

Tracee tracees[max_tracees];
uint32_t made = 0;
// How the last one was attached: what a tracee's new child or thread gets, too.
uint32_t usual_seized = 0;
uint32_t usual_options = 0;

bool is_gone(const Tracee& tracee) { return sys::call(SYS_tkill, agent::real_id(tracee.virtual_tid), 0) == -ESRCH; }

Tracee* take(uint32_t index, int32_t expected, int32_t virtual_tid) {
  Tracee* tracee = &tracees[index];
  if (!__atomic_compare_exchange_n(&tracee->virtual_tid, &expected, -1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return nullptr;
  memset(reinterpret_cast<char*>(tracee) + sizeof tracee->virtual_tid, 0, sizeof *tracee - sizeof tracee->virtual_tid);
  tracee->seized = usual_seized;
  tracee->options = usual_options;
  tracee->request = PTRACE_CONT;
  __atomic_store_n(&tracee->virtual_tid, virtual_tid, __ATOMIC_RELEASE);
  __atomic_store_n(&made, 1, __ATOMIC_RELEASE);
  return tracee;
}

}  // namespace

Tracee* find(int32_t virtual_tid, bool make) {
  for (Tracee& tracee : tracees) {
    if (__atomic_load_n(&tracee.virtual_tid, __ATOMIC_ACQUIRE) != virtual_tid) continue;
    if (make) {
      usual_seized = tracee.seized;
      usual_options = tracee.options;
    }
    return &tracee;
  }
  if (!make) return nullptr;
  for (uint32_t i = 0; i < max_tracees; ++i) {
    if (tracees[i].virtual_tid != 0) continue;
    if (Tracee* taken = take(i, 0, virtual_tid)) return taken;
  }
  for (uint32_t i = 0; i < max_tracees; ++i) {
    int32_t other = tracees[i].virtual_tid;
    if (other <= 0 || !is_gone(tracees[i])) continue;
    if (Tracee* taken = take(i, other, virtual_tid)) return taken;
  }
  return nullptr;
}

void forget(int32_t virtual_tid) {
  if (Tracee* tracee = find(virtual_tid, false)) __atomic_store_n(&tracee->virtual_tid, 0, __ATOMIC_RELEASE);
}

bool any() { return __atomic_load_n(&made, __ATOMIC_ACQUIRE) != 0; }

Tracee& place(uint32_t index) { return tracees[index]; }

void forget_kept() {
  for (Tracee& tracee : tracees) tracee.kept = 0;
}

long request(long number, int32_t real_tid, uint64_t address, uint64_t data) {
  return sys::call(SYS_ptrace, number, real_tid, address, data);
}

bool has_sender(const siginfo_t& info) {
  if (info.si_signo == SIGCHLD && info.si_code > 0) return true;
  return info.si_code <= 0 && info.si_code != SI_TIMER;
}

}  // namespace cairn::trace
