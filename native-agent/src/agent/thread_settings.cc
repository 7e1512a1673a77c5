#include "agent/thread_settings.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "cairn/plugin.h"
#include "sys/syscall.h"

namespace cairn::agent {

using sys::call;
using sys::call_unchecked;

namespace {

thread_local struct {
  int32_t death_signal;
  int32_t memory_errors;  // PR_MCE_KILL_…, and whether there is one
  int32_t has_memory_errors;
  int32_t keeps_capabilities;
  uint64_t slack_ns;  // of timers; 0: never set
} settings;

void note(int option, unsigned long first, unsigned long second) {
  switch (option) {
    case PR_SET_PDEATHSIG: settings.death_signal = static_cast<int32_t>(first); return;
    case PR_SET_KEEPCAPS: settings.keeps_capabilities = static_cast<int32_t>(first); return;
    case PR_SET_TIMERSLACK: settings.slack_ns = first; return;
    case PR_MCE_KILL:
      settings.has_memory_errors = first == PR_MCE_KILL_SET ? 1 : 0;
      settings.memory_errors = static_cast<int32_t>(second);
      return;
    default: return;
  }
}

}  // namespace

void read_thread_settings() {
  int signal = 0;
  if (call(SYS_prctl, PR_GET_PDEATHSIG, &signal, 0, 0, 0) == 0) settings.death_signal = signal;
  // Of before an exec or an attach; the defaults are what a restarted thread has by itself.
  settings.keeps_capabilities = call(SYS_prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1 ? 1 : 0;
  constexpr int64_t default_slack_ns = 50'000;
  int64_t slack = call(SYS_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);
  settings.slack_ns = slack > 0 && slack != default_slack_ns ? static_cast<uint64_t>(slack) : 0;
  int64_t kill = call(SYS_prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
  settings.has_memory_errors = kill == PR_MCE_KILL_EARLY || kill == PR_MCE_KILL_LATE ? 1 : 0;
  settings.memory_errors = static_cast<int32_t>(kill);
}

void forget_thread_settings() { settings.death_signal = 0; }

void restore_thread_settings(uint64_t thread_pointer) {
  // libc's descriptor of a thread has its own address behind two pointers; a thread that has none has no storage either.
  if (thread_pointer == 0 || reinterpret_cast<const uintptr_t*>(thread_pointer)[2] != thread_pointer) return;
  if (settings.death_signal != 0) call_unchecked(SYS_prctl, PR_SET_PDEATHSIG, settings.death_signal, 0, 0, 0);
  if (settings.keeps_capabilities != 0) call_unchecked(SYS_prctl, PR_SET_KEEPCAPS, settings.keeps_capabilities, 0, 0, 0);
  if (settings.slack_ns != 0) call_unchecked(SYS_prctl, PR_SET_TIMERSLACK, settings.slack_ns, 0, 0, 0);
  if (settings.has_memory_errors != 0) call_unchecked(SYS_prctl, PR_MCE_KILL, PR_MCE_KILL_SET, settings.memory_errors, 0, 0);
}

}  // namespace cairn::agent

extern "C" CAIRN_EXPORT int prctl(int option, ...) noexcept {
  va_list list;
  va_start(list, option);
  unsigned long a[4];
  for (unsigned long& argument : a) argument = va_arg(list, unsigned long);
  va_end(list);
  long result = cairn::sys::call(SYS_prctl, option, a[0], a[1], a[2], a[3]);
  if (cairn::sys::failed(result)) {
    errno = static_cast<int>(-result);
    return -1;
  }
  cairn::agent::note(option, a[0], a[1]);
  return static_cast<int>(result);
}
