#include "checkpoint/pending_signals.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#include "sys/syscall.h"

namespace cairn::checkpoint {
namespace {

// In the image, both: libc's limit (RLIMIT_SIGPENDING) is in the tens of thousands, but hardly anybody has more than a few.
PendingSignal few[512];
PendingSignal* pending = few;
uint32_t capacity = sizeof few / sizeof few[0];
uint32_t pending_count = 0;
bool overflown = false;

bool make_room() {
  if (pending_count < capacity) return true;
  uint32_t more = 4 * capacity;
  int64_t memory = sys::call(SYS_mmap, nullptr, size_t{more} * sizeof(PendingSignal), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (sys::failed(memory)) {
    overflown = true;
    return false;
  }
  auto* larger = reinterpret_cast<PendingSignal*>(memory);
  memcpy(larger, pending, pending_count * sizeof(PendingSignal));
  if (pending != few) sys::call_unchecked(SYS_munmap, pending, size_t{capacity} * sizeof(PendingSignal));
  pending = larger;
  capacity = more;
  return true;
}

/// Sent by a process (kill, sigqueue, …), or told of a child, whose id is in the siginfo.
bool has_sender(const siginfo_t& info) {
  if (info.si_signo == SIGCHLD && info.si_code > 0) return true;
  return info.si_code <= 0 && info.si_code != SI_TIMER;
}

}  // namespace

void forget_pending() {
  pending_count = 0;
  overflown = false;
}

bool pending_is_whole() { return !overflown; }

void add_pending(int32_t virtual_tid, siginfo_t info, int32_t (*virtual_id)(int32_t)) {
  if (!make_room()) return;
  pending[pending_count].virtual_tid = virtual_tid;
  if (has_sender(info)) info.si_pid = virtual_id(info.si_pid);
  memcpy(pending[pending_count].info, &info, sizeof info);
  ++pending_count;
}

void record_pending(int32_t real_tid, bool shared, int32_t (*virtual_id)(int32_t)) {
  __ptrace_peeksiginfo_args request = {};
  request.flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0;
  // Many at once: for each call the kernel goes through the queue from its beginning.
  siginfo_t infos[64];
  request.nr = sizeof infos / sizeof infos[0];
  for (;;) {
    long count = sys::call(SYS_ptrace, PTRACE_PEEKSIGINFO, real_tid, &request, infos);
    for (long i = 0; i < count; ++i) add_pending(shared ? 0 : virtual_id(real_tid), infos[i], virtual_id);
    if (count < request.nr || overflown) return;
    request.off += static_cast<uint64_t>(count);
  }
}

void queue_pending(int32_t virtual_tid, int32_t real_pid, int32_t real_tid, bool leader, int32_t (*real_id)(int32_t)) {
  for (uint32_t i = 0; i < pending_count; ++i) {
    siginfo_t info;
    memcpy(&info, pending[i].info, sizeof info);
    // Who receives it translates the id back.
    if (has_sender(info)) info.si_pid = real_id(info.si_pid);
    if (pending[i].virtual_tid == virtual_tid) {
      sys::call_unchecked(SYS_rt_tgsigqueueinfo, real_pid, real_tid, info.si_signo, &info);
    } else if (pending[i].virtual_tid == 0 && leader) {
      sys::call_unchecked(SYS_rt_sigqueueinfo, real_pid, info.si_signo, &info);
    }
  }
}

}  // namespace cairn::checkpoint
