// Owns: the handlers of the application and the jump to them; see actions.h.
#include "signal/actions.h"

#include <errno.h>

namespace cairn::signal {

bool active_flag = false;

namespace {

using Handler = void (*)(int, siginfo_t*, void*);

// libc's own: their handlers compare the sender with the kernel's id, and are not to be seen by the application.
constexpr int signal_cancel = 32;
constexpr int signal_setxid = 33;

uint64_t handlers[signal_count + 1];
uint32_t changing = 0;

/// Does si_pid hold the sender?
bool has_sender(const siginfo_t* info) {
  if (info->si_signo == SIGCHLD && info->si_code > 0) return true;
  return info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL || info->si_code == SI_MESGQ;
}

const cairn_ids* ids() {
  static const cairn_ids* known;
  const cairn_ids* table = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (table == nullptr) {
    table = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
    __atomic_store_n(&known, table, __ATOMIC_RELAXED);
  }
  return table;
}

[[gnu::noinline]] Handler prepare(int signal, siginfo_t* info) {
  if (info != nullptr && has_sender(info) && ids() != nullptr) info->si_pid = ids()->to_virtual(info->si_pid);
  return reinterpret_cast<Handler>(__atomic_load_n(&handlers[signal], __ATOMIC_RELAXED));
}

// The last call has to become a jump.
[[gnu::optimize("optimize-sibling-calls")]] void deliver(int signal, siginfo_t* info, void* context) {
  Handler handler = prepare(signal, info);
  handler(signal, info, context);
}

}  // namespace

uint64_t trampoline() { return reinterpret_cast<uintptr_t>(deliver); }

uint64_t shown_handler(int signal, uint64_t kernel_handler) {
  return kernel_handler == trampoline() ? __atomic_load_n(&handlers[signal], __ATOMIC_RELAXED) : kernel_handler;
}

uint64_t kernel_handler(int signal, uint64_t handler, uint64_t flags) {
  bool calls = handler != reinterpret_cast<uintptr_t>(SIG_DFL) && handler != reinterpret_cast<uintptr_t>(SIG_IGN);
  bool own = signal == signal_cancel || signal == signal_setxid;
  return calls && !own && (flags & SA_SIGINFO) != 0 ? trampoline() : handler;
}

void remember_handler(int signal, uint64_t handler) { __atomic_store_n(&handlers[signal], handler, __ATOMIC_RELAXED); }

Change::Change() {
  uint64_t all = ~uint64_t{0};
  host->syscall(SYS_rt_sigprocmask, SIG_SETMASK, pointer(&all), pointer(&mask_), mask_size, 0, 0);
  while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE) != 0) host->syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

Change::~Change() {
  __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
  host->syscall(SYS_rt_sigprocmask, SIG_SETMASK, pointer(&mask_), 0, mask_size, 0, 0);
}

void forget_change() { __atomic_store_n(&changing, 0, __ATOMIC_RELEASE); }

long change_action(int signal, const KernelAction* set, KernelAction* get, long size) {
  if (!active() || !is_signal(signal) || size != mask_size) {
    return host->syscall(SYS_rt_sigaction, signal, pointer(set), pointer(get), size, 0, 0);
  }
  KernelAction fresh;
  if (set != nullptr) fresh = *set;
  Change change;
  uint64_t before = shown_handler(signal, trampoline());
  if (set != nullptr) {
    fresh.handler = static_cast<unsigned long>(kernel_handler(signal, set->handler, set->flags));
    // First, because the signal may come as soon as the kernel knows.
    if (fresh.handler != set->handler) remember_handler(signal, set->handler);
  }
  long result = host->syscall(SYS_rt_sigaction, signal, set != nullptr ? pointer(&fresh) : 0, pointer(get), size, 0, 0);
  if (result < 0) remember_handler(signal, before);
  else if (get != nullptr && get->handler == trampoline()) get->handler = static_cast<unsigned long>(before);
  return result;
}

}  // namespace cairn::signal
