// Owns: the wrappers of libc's functions that set a signal's action or tell the one before. [any]
// libc's sigaction does the call, since only it knows the code to which a handler returns. The other functions are
// libc's as they are: what they set has no SA_SIGINFO, or was read from the kernel before; only what they give back is
// translated. siginterrupt and what libc does within itself (system, posix_spawn) put back what they have found, and need no wrapper.
#include <errno.h>

#include "common/next.h"
#include "signal/actions.h"

#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace cairn::signal {

namespace {

using Simple = void (*)(int);

template <typename Function>
using Next = plugin::Next<host, Function>;

using Action = int(int, const struct sigaction*, struct sigaction*);
using Set = Simple(int, Simple);

Next<Action> next_sigaction = {"sigaction", nullptr};
Next<Set> next_signal = {"signal", nullptr};
Next<Set> next_bsd_signal = {"bsd_signal", nullptr};
Next<Set> next_ssignal = {"ssignal", nullptr};
Next<Set> next_sysv_signal = {"sysv_signal", nullptr};
Next<Set> next_sigset = {"sigset", nullptr};

uint64_t handler_of(const struct sigaction& action) { return reinterpret_cast<uintptr_t>(action.sa_sigaction); }
void set_handler(struct sigaction* action, uint64_t handler) {
  action->sa_sigaction = reinterpret_cast<void (*)(int, siginfo_t*, void*)>(handler);
}

int change(int signal, const struct sigaction* set, struct sigaction* get) {
  if (!is_signal(signal)) return next_sigaction.get()(signal, set, get);
  struct sigaction fresh;
  if (set != nullptr) fresh = *set;
  Change change;
  uint64_t before = shown_handler(signal, trampoline());
  if (set != nullptr) {
    uint64_t wanted = handler_of(*set);
    uint64_t handler = kernel_handler(signal, wanted, static_cast<uint64_t>(set->sa_flags));
    set_handler(&fresh, handler);
    // First, because the signal may come as soon as the kernel knows.
    if (handler != wanted) remember_handler(signal, wanted);
  }
  int result = next_sigaction.get()(signal, set != nullptr ? &fresh : nullptr, get);
  if (result < 0) remember_handler(signal, before);
  else if (get != nullptr && handler_of(*get) == trampoline()) set_handler(get, before);
  return result;
}

/// What a function says that the handler was before.
Simple shown(int signal, Simple handler) {
  if (!active() || !is_signal(signal)) return handler;
  return reinterpret_cast<Simple>(shown_handler(signal, reinterpret_cast<uintptr_t>(handler)));
}

}  // namespace

void prepare_wrappers() {
  next_sigaction.get();
  next_signal.get();
  next_bsd_signal.get();
  next_ssignal.get();
  next_sysv_signal.get();
  next_sigset.get();
}

// The names as assembler labels: libc's headers declare some of them as others, or not at all.
extern "C" {

CAIRN_EXPORT int cairn_sigaction(int signal, const struct sigaction* set, struct sigaction* get) __asm__("sigaction");
CAIRN_EXPORT int cairn_sigaction(int signal, const struct sigaction* set, struct sigaction* get) {
  if (!active()) return next_sigaction.get()(signal, set, get);
  return change(signal, set, get);
}
CAIRN_EXPORT int cairn_internal_sigaction(int signal, const struct sigaction* set, struct sigaction* get) __asm__("__sigaction");
CAIRN_EXPORT int cairn_internal_sigaction(int signal, const struct sigaction* set, struct sigaction* get) {
  return cairn_sigaction(signal, set, get);
}

CAIRN_EXPORT Simple cairn_signal(int signal, Simple handler) __asm__("signal");
CAIRN_EXPORT Simple cairn_signal(int signal, Simple handler) { return shown(signal, next_signal.get()(signal, handler)); }

CAIRN_EXPORT Simple cairn_bsd_signal(int signal, Simple handler) __asm__("bsd_signal");
CAIRN_EXPORT Simple cairn_bsd_signal(int signal, Simple handler) { return shown(signal, next_bsd_signal.get()(signal, handler)); }

CAIRN_EXPORT Simple cairn_ssignal(int signal, Simple handler) __asm__("ssignal");
CAIRN_EXPORT Simple cairn_ssignal(int signal, Simple handler) { return shown(signal, next_ssignal.get()(signal, handler)); }

CAIRN_EXPORT Simple cairn_sysv_signal(int signal, Simple handler) __asm__("sysv_signal");
CAIRN_EXPORT Simple cairn_sysv_signal(int signal, Simple handler) { return shown(signal, next_sysv_signal.get()(signal, handler)); }
CAIRN_EXPORT Simple cairn_internal_sysv_signal(int signal, Simple handler) __asm__("__sysv_signal");
CAIRN_EXPORT Simple cairn_internal_sysv_signal(int signal, Simple handler) { return cairn_sysv_signal(signal, handler); }

CAIRN_EXPORT Simple cairn_sigset(int signal, Simple handler) __asm__("sigset");
CAIRN_EXPORT Simple cairn_sigset(int signal, Simple handler) { return shown(signal, next_sigset.get()(signal, handler)); }

}  // extern "C"

}  // namespace cairn::signal
