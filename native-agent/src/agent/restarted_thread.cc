#include "agent/restarted_thread.h"

#include <sys/prctl.h>

#include "agent/agent.h"
#include "agent/operation.h"
#include "agent/thread_settings.h"
#include "checkpoint/pending_signals.h"
#include "sys/futex.h"
#include "trace/again.h"

namespace cairn::agent {

using sys::call;
using sys::call_unchecked;

namespace {
bool no_new_privileges;
int64_t personality = -1;  // -1: this kernel does not tell

// The agent's own, not of the handoff, which a restorer of another version makes.
uint32_t expected = 0;
uint32_t left = 0;  // threads that have left this code

// What the handoff's word `released` says.
constexpr uint32_t threads_wait = 0, threads_go = 1, threads_queue_signals = 2;
}  // namespace

void queue_signals(image::Handoff* handoff) {
  sys::store_and_wake(&handoff->released, threads_queue_signals);
  // They were counted once when they arrived.
  for (uint32_t seen = 0; (seen = sys::load(&handoff->arrived)) < 2 * handoff->thread_count;) sys::wait_while(&handoff->arrived, seen, 0);
}

void let_threads_go(image::Handoff* handoff) {
  __atomic_store_n(&left, 0, __ATOMIC_RELAXED);
  expected = handoff->thread_count - trace::awaiting_count();
  sys::store_and_wake(&handoff->released, threads_go);
}

bool threads_have_left() { return sys::load(&left) >= expected && trace::attached_count() == trace::awaiting_count(); }

bool wait_for_threads(uint64_t deadline_ns) {
  // The last instructions of a thread wake nobody: look from time to time, at first often.
  for (uint64_t pause = 20'000; !threads_have_left(); pause = pause < 2'000'000 ? pause * 2 : pause) {
    if (sys::now_ns() >= deadline_ns) return false;
    struct timespec time = {0, static_cast<long>(pause)};
    call_unchecked(SYS_nanosleep, &time, nullptr);
  }
  return true;
}

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
  sys::processor::use_pointers(slot->pointers);
  call_unchecked(SYS_set_tid_address, slot->exited != 0 ? 0 : slot->tid_address);
  if (slot->robust_list != 0) call_unchecked(SYS_set_robust_list, slot->robust_list, slot->robust_list_size);
  call_unchecked(SYS_prctl, PR_SET_NAME, slot->name, 0, 0, 0);
  int32_t virtual_tid = slot->virtual_tid, real_tid = slot->real_tid;
  bool leader = virtual_tid == handoff->virtual_pid;
  uint64_t frame = slot->frame, thread_pointer = sys::processor::thread_pointer_of(slot->pointers);
  bool ends = slot->exited != 0;
  uint32_t exit_status = slot->exit_status;
  uint64_t rseq_address = slot->rseq_address;
  uint32_t rseq_size = slot->rseq_size, rseq_signature = slot->rseq_signature;
  __atomic_fetch_add(&handoff->arrived, 1, __ATOMIC_ACQ_REL);
  call_unchecked(SYS_futex, &handoff->arrived, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  sys::wait_while(&handoff->released, threads_wait, 0);
  checkpoint::queue_pending(virtual_tid, static_cast<int32_t>(call(SYS_getpid)), real_tid, leader, real_id);
  __atomic_fetch_add(&handoff->arrived, 1, __ATOMIC_ACQ_REL);
  call_unchecked(SYS_futex, &handoff->arrived, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  sys::wait_while(&handoff->released, threads_queue_signals, 0);
  restore_thread_settings(thread_pointer);
  if (no_new_privileges) call_unchecked(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (personality >= 0) call_unchecked(SYS_personality, personality);
  // The kernel must not find an unfinished critical section of the time before: registering comes last.
  if (rseq_address != 0) call_unchecked(SYS_rseq, rseq_address, rseq_size, 0, rseq_signature);
  trace::attach_again(virtual_tid);
  if (ends) sys::processor::exit_thread(exit_status, &left);
  if (trace::is_traced(virtual_tid)) {
    if (!trace::await_tracer(virtual_tid)) {
      const sys::Text text("cairn: the restart failed: whoever traced a thread of this process does not do so again\n");
      (void)sys::write_all(2, text.data, text.size);
      call_unchecked(SYS_exit_group, 1);
    }
    static uint32_t counted_otherwise;
    sys::processor::enter_frame(frame, &counted_otherwise);
  }
  sys::processor::enter_frame(frame, &left);
}

}  // namespace cairn::agent
