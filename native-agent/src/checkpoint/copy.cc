#include "checkpoint/copy.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "events/own_processes.h"
#include "sys/futex.h"

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::call_unchecked;

constexpr long look_ns = 500'000;

/// What the copy and its original share.
struct Place {
  uint32_t done;
  uint32_t reserved;
  int64_t gave;
};
void* result_of(Place* place) { return place + 1; }

[[noreturn]] void run(const Stop& stop, int64_t original, int64_t (*job)(void*, void*, uint64_t), void* context, Place* place, uint64_t capacity) {
  events::be_own_process();
  call_unchecked(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (call(SYS_getppid) != original) call_unchecked(SYS_exit_group, 0);
  // The default action of every signal, so that no handler of the program runs.
  for (int signal = 1; signal < 65; ++signal) {
    uint64_t action[4] = {};
    call_unchecked(SYS_rt_sigaction, signal, action, nullptr, 8);
  }
  struct rlimit64 no_core = {0, 0};
  call_unchecked(SYS_prlimit64, 0, RLIMIT_CORE, &no_core, nullptr);
  // Its thread-local variables are those that the program's code expects.
  sys::processor::use_pointers(sys::processor::pointers_of(stop.thread(0).registers));
  place->gave = job(context, result_of(place), capacity);
  __atomic_store_n(&place->done, 1, __ATOMIC_RELEASE);
  call_unchecked(SYS_exit_group, 0);
  __builtin_unreachable();
}

}  // namespace

int64_t run_in_copy(const Stop& stop, int64_t (*job)(void*, void*, uint64_t), void* context, void* result, uint64_t capacity, uint64_t patience_ns) {
  if (stop.thread_count() == 0 || !stop.thread(0).stopped) return -ESRCH;
  const uint64_t size = sys::page_up(sizeof(Place) + capacity);
  int64_t memory = call(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (sys::failed(memory)) return memory;
  auto* place = reinterpret_cast<Place*>(memory);
  const int64_t original = call(SYS_getpid);
  // Without a signal at its end: nobody else learns of it.
  const long child = call(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) run(stop, original, job, context, place, capacity);
  if (child > 0) events::note_own_process(child);
  const uint64_t deadline = sys::now_ns() + patience_ns;
  bool running = child > 0;
  while (running && sys::now_ns() < deadline) {
    struct timespec pause = {0, look_ns};
    call_unchecked(SYS_nanosleep, &pause, nullptr);
    running = call(SYS_wait4, child, nullptr, WNOHANG | __WALL, nullptr) == 0;
  }
  if (running) {
    call_unchecked(SYS_kill, child, SIGKILL);
    call_unchecked(SYS_wait4, child, nullptr, __WALL, nullptr);
  }
  if (child > 0) events::forget_own_process(child);
  int64_t gave = child < 0 ? child : running ? -ETIMEDOUT : -EFAULT;
  if (__atomic_load_n(&place->done, __ATOMIC_ACQUIRE) != 0) {
    gave = place->gave;
    memcpy(result, result_of(place), capacity);
  }
  call_unchecked(SYS_munmap, memory, size);
  return gave;
}

}  // namespace cairn::checkpoint
