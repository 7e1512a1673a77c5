#include "agent/restarted_thread.h"

#include <asm/prctl.h>
#include <sys/prctl.h>

#include "agent/agent.h"
#include "agent/operation.h"
#include "checkpoint/pending_signals.h"
#include "sys/futex.h"

namespace cairn::agent {

using sys::call;
using sys::call_unchecked;

namespace {
bool no_new_privileges;
int64_t personality = -1;  // -1: this kernel does not tell
}  // namespace

void record_thread_attributes() {
  static char text[8192];
  long size = sys::read_all("/proc/self/status", text, sizeof text - 1);
  no_new_privileges = false;
  sys::TextReader status(sys::Text(text, size > 0 ? static_cast<size_t>(size) : 0));
  while (!status.done()) {
    sys::Text line = status.until('\n');
    if (line.starts_with("NoNewPrivs:")) no_new_privileges = line.ends_with("1");
  }
  size = sys::read_all("/proc/self/personality", text, sizeof text);
  uint64_t value = 0;
  personality = size > 0 && sys::TextReader(sys::Text(text, static_cast<size_t>(size))).number(&value, 16) ? static_cast<int64_t>(value) : -1;
}

void restarted_agent_entry(const image::Handoff* handoff) { instance().run_restarted(handoff); }

void restarted_thread_entry(const ThreadStart* start) {
  image::ThreadSlot* slot = start->slot;
  image::Handoff* handoff = start->handoff;
  slot->real_tid = static_cast<int32_t>(call(SYS_gettid));
  call_unchecked(SYS_arch_prctl, ARCH_SET_FS, slot->fs_base);
  call_unchecked(SYS_arch_prctl, ARCH_SET_GS, slot->gs_base);
  call_unchecked(SYS_set_tid_address, slot->exited != 0 ? 0 : slot->tid_address);
  if (slot->robust_list != 0) call_unchecked(SYS_set_robust_list, slot->robust_list, slot->robust_list_size);
  call_unchecked(SYS_prctl, PR_SET_NAME, slot->name, 0, 0, 0);
  int32_t virtual_tid = slot->virtual_tid, real_tid = slot->real_tid;
  bool leader = virtual_tid == handoff->virtual_pid;
  uint64_t frame = slot->frame;
  bool ends = slot->exited != 0;
  uint64_t rseq_address = slot->rseq_address;
  uint32_t rseq_size = slot->rseq_size, rseq_signature = slot->rseq_signature;
  __atomic_fetch_add(&handoff->arrived, 1, __ATOMIC_ACQ_REL);
  call_unchecked(SYS_futex, &handoff->arrived, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  sys::wait_while(&handoff->released, 0, 0);
  checkpoint::queue_pending(virtual_tid, static_cast<int32_t>(call(SYS_getpid)), real_tid, leader, real_id);
  if (no_new_privileges) call_unchecked(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (personality >= 0) call_unchecked(SYS_personality, personality);
  // The kernel must not find an unfinished critical section of the time before: registering comes last.
  if (rseq_address != 0) call_unchecked(SYS_rseq, rseq_address, rseq_size, 0, rseq_signature);
  if (ends) {
    call_unchecked(SYS_exit, 0);
  }
  sys::x86_64::enter_frame(frame);
}

}  // namespace cairn::agent
