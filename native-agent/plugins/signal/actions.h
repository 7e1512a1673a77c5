// Owns: what the application thinks each signal does, after a restart.
// The kernel gives handlers with SA_SIGINFO the sender's real id. So, from the first restart on, it calls deliver() in their
// place, which makes that id the virtual one and goes on to the application's handler by a jump: the handler stands in the
// frame that the kernel made for it, and unwinds as ever. The kernel stays the one that knows flags, masks and whether a
// handler is in place (SA_RESETHAND, exec, libc's own functions that put an action back): only handlers are kept here.
// [any], async-signal-safe. Before the first restart `active` is false and the kernel has the application's own handlers.
// Tests: tests/signal_plugin_test.cc, test/probes/signals.
#pragma once
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"

namespace cairn::signal {

constexpr int signal_count = 64;
constexpr long mask_size = 8;

/// struct sigaction as the kernel has it.
struct KernelAction {
  unsigned long handler;
  unsigned long flags;
  unsigned long restorer;
  uint64_t mask;
};

extern const cairn_host* host;

extern bool active_flag;
inline bool active() { return __builtin_expect(__atomic_load_n(&active_flag, __ATOMIC_RELAXED), false); }

inline long pointer(const volatile void* address) { return reinterpret_cast<long>(const_cast<const void*>(address)); }

inline bool is_signal(int signal) { return signal >= 1 && signal <= signal_count; }

/// What the kernel calls in a handler's place.
uint64_t trampoline();

/// The handler that the application gave, for one that the kernel has; and the other way round, by the action's flags.
uint64_t shown_handler(int signal, uint64_t kernel_handler);
uint64_t kernel_handler(int signal, uint64_t handler, uint64_t flags);

/// Takes note of the application's handler of a signal.
void remember_handler(int signal, uint64_t handler);

/// One change of an action at a time, so that the handler noted here and the kernel's flags belong together. All signals are
/// blocked meanwhile: a handler that changes actions itself would wait for ever.
class Change {
 public:
  Change();
  ~Change();
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  uint64_t mask_ = 0;
};

/// In the child of a fork, whose parent may have been changing an action in another thread.
void forget_change();

/// rt_sigaction as the application means it.
long change_action(int signal, const KernelAction* set, KernelAction* get, long size);

/// Looks libc's functions up. [init]
void prepare_wrappers();

}  // namespace cairn::signal
