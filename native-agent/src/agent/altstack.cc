#include "agent/altstack.h"

#include <cairn/plugin.h>
#include <errno.h>
#include <signal.h>

#include "sys/context.h"
#include "sys/syscall.h"

namespace cairn::agent {
namespace {
thread_local checkpoint::RecordedAltstack recorded;
}

checkpoint::RecordedAltstack* recorded_altstack() { return &recorded; }

uint64_t altstack_offset() {
  return reinterpret_cast<uintptr_t>(&recorded) - sys::processor::thread_pointer();
}

}  // namespace cairn::agent

extern "C" CAIRN_EXPORT int sigaltstack(const stack_t* fresh, stack_t* old) noexcept {
  long result = cairn::sys::call(SYS_sigaltstack, fresh, old);
  if (cairn::sys::failed(result)) {
    errno = static_cast<int>(-result);
    return -1;
  }
  if (fresh != nullptr) {
    auto* record = cairn::agent::recorded_altstack();
    *record = {reinterpret_cast<uintptr_t>(fresh->ss_sp), fresh->ss_size, static_cast<uint32_t>(fresh->ss_flags), 1};
  }
  return 0;
}
