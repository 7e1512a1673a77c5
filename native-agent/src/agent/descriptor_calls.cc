#include "agent/descriptor_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/agent.h"
#include "cairn/plugin.h"
#include "events/host.h"
#include "sys/own_fds.h"
#include "sys/syscall.h"

namespace cairn::agent {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;

template <typename Function>
struct Next {
  const char* name;
  Function* function = nullptr;
  Function* get() {
    Function* found = __atomic_load_n(&function, __ATOMIC_RELAXED);
    if (__builtin_expect(found != nullptr, 1)) return found;
    found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
    __atomic_store_n(&function, found, __ATOMIC_RELAXED);
    return found;
  }
};

Next<int(int)> next_close{"close"};
Next<int(int, int)> next_dup2{"dup2"};
Next<int(int, int, int)> next_dup3{"dup3"};

int finish(long result) {
  if (!failed(result)) return static_cast<int>(result);
  errno = static_cast<int>(-result);
  return -1;
}

bool in_own_process() { return call(SYS_getpid) == events::facts().real_pid; }

/// Cairn's, and in the process whose agent has it: what a child has that shares or copies this memory without Cairn's knowledge (vfork, _Fork,
/// clone) is its own under whatever number, until it executes a program.
bool is_ours(int fd) { return sys::is_own_fd(fd) && in_own_process(); }

struct Replacement {
  int from, to, flags;
  bool with_flags;
};

int replace(void* context) {
  auto* one = static_cast<const Replacement*>(context);
  return static_cast<int>(one->with_flags ? call(SYS_dup3, one->from, one->to, one->flags) : call(SYS_dup2, one->from, one->to));
}

int replace_own(Replacement one) {
  if (is_ours(one.from)) return finish(-EBADF);
  // A handler that did the same would wait for itself.
  uint64_t all = ~uint64_t{0}, before = 0;
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
  int result = instance().leave_number(one.to, replace, &one);
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, 8);
  return finish(result);
}

long close_all_but_own(unsigned first, unsigned last, int flags) {
  bool own = first <= last && (flags & ~CLOSE_RANGE_UNSHARE) == 0;
  int next = own ? sys::next_own_fd(first) : -1;
  if (next < 0 || static_cast<unsigned>(next) > last || !in_own_process()) return call(SYS_close_range, first, last, flags);
  if ((flags & CLOSE_RANGE_UNSHARE) != 0) {
    if (long result = call(SYS_close_range, ~0u, ~0u, CLOSE_RANGE_UNSHARE); failed(result)) return result;
  }
  for (;;) {
    bool at_end = next < 0 || static_cast<unsigned>(next) > last;
    unsigned end = at_end ? last : static_cast<unsigned>(next) - 1;
    if (at_end || static_cast<unsigned>(next) > first) {
      if (long result = first <= end ? call(SYS_close_range, first, end, 0) : 0; failed(result)) return result;
    }
    if (at_end) return 0;
    first = static_cast<unsigned>(next) + 1;
    next = sys::next_own_fd(first);
  }
}

}  // namespace

void find_descriptor_calls() {
  next_close.get();
  next_dup2.get();
  next_dup3.get();
}

}  // namespace cairn::agent

using namespace cairn::agent;

extern "C" {

CAIRN_EXPORT int close(int fd) {
  if (!is_ours(fd)) return next_close.get()(fd);
  errno = EBADF;
  return -1;
}

CAIRN_EXPORT int dup2(int from, int to) noexcept {
  if (!is_ours(to) && !is_ours(from)) return next_dup2.get()(from, to);
  return replace_own({from, to, 0, false});
}

CAIRN_EXPORT int dup3(int from, int to, int flags) noexcept {
  if (!is_ours(to) && !is_ours(from)) return next_dup3.get()(from, to, flags);
  return replace_own({from, to, flags, true});
}

CAIRN_EXPORT int close_range(unsigned first, unsigned last, int flags) noexcept { return finish(close_all_but_own(first, last, flags)); }

CAIRN_EXPORT void closefrom(int lowest) noexcept {
  unsigned first = lowest < 0 ? 0 : static_cast<unsigned>(lowest);
  if (!failed(close_all_but_own(first, ~0u, 0))) return;
  // A kernel that has no such call.
  struct rlimit64 limit = {};
  call_unchecked(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  for (unsigned fd = first; fd < limit.rlim_cur; ++fd) {
    if (!is_ours(static_cast<int>(fd))) call_unchecked(SYS_close, static_cast<int>(fd));
  }
}

}  // extern "C"
