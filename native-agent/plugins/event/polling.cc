// Owns: poll(2), made as ppoll(2). The kernel leaves what remains of the time in ppoll's argument when it is interrupted: a checkpoint
// neither lengthens the wait, nor does a restart begin it anew. poll's time-out is a number in a register, of which only the whole is
// known. [any] Cancellation and EINTR are as with libc's function. Test: test/probes/events/timeouts.c.
#include <dlfcn.h>
#include <poll.h>
#include <signal.h>

#include "event/events.h"

namespace cairn::event {
namespace {

using Ppoll = int(struct pollfd*, nfds_t, const struct timespec*, const sigset_t*);
Ppoll* next_ppoll = nullptr;

/// Also before init, by the constructor of another library.
Ppoll* find_ppoll() {
  Ppoll* found = __atomic_load_n(&next_ppoll, __ATOMIC_RELAXED);
  if (__builtin_expect(found != nullptr, 1)) return found;
  found = reinterpret_cast<Ppoll*>(dlsym(RTLD_NEXT, "ppoll"));
  __atomic_store_n(&next_ppoll, found, __ATOMIC_RELAXED);
  return found;
}

}  // namespace

void prepare_polling() { find_ppoll(); }

extern "C" CAIRN_EXPORT int poll(struct pollfd* descriptors, nfds_t count, int timeout) {
  struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};
  return find_ppoll()(descriptors, count, timeout < 0 ? nullptr : &time, nullptr);
}

/// What a program calls that was compiled with _FORTIFY_SOURCE.
extern "C" [[noreturn]] void __chk_fail() noexcept;
extern "C" CAIRN_EXPORT int __poll_chk(struct pollfd* descriptors, nfds_t count, int timeout, size_t size) {
  if (size / sizeof *descriptors < count) __chk_fail();
  return poll(descriptors, count, timeout);
}

}  // namespace cairn::event
