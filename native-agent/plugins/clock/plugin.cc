// Owns: the plugin `clock`: what CLOCK_MONOTONIC and its kin show after a restart. By the setting "clock" they go on with the machine's
// ("go-on"), or continue as if no time had passed ("continue"). They never go back for the application: where the machine's are behind
// those of the checkpoint (it was started anew, or is another one), they continue, whatever the setting.
// One process decides for all, by the shared names; programs that are executed find it there. CLOCK_REALTIME is never touched.
// Who reads the vdso or the processor's counter without libc sees the machine's time. [restoring] Waits in progress: waits.cc.
// Test: test/probes/clock.test.ts.
#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "clock/clock.h"
#include "common/handles.h"
#include "common/monotonic.h"
#include "common/kernel.h"
#include "common/text.h"

namespace cairn::clock {

const cairn_host* host = nullptr;

namespace {

using plugin::clock_count;
using plugin::is_monotonic;
using plugin::Moment;
using plugin::monotonic;

constexpr uint32_t decided = plugin::name_space("clock");

int64_t saved[clock_count];  // as the application had them, at the checkpoint

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}

/// The machine's; -1: it does not have this clock.
int64_t read(int clock) {
  struct timespec time = {};
  if (sys(SYS_clock_gettime, clock, reinterpret_cast<long>(&time)) < 0) return -1;
  return time.tv_sec * plugin::nanoseconds_in_second + time.tv_nsec;
}

void note_moved() {
  monotonic.moved = false;
  for (int64_t ahead : monotonic.ahead) monotonic.moved = monotonic.moved || ahead != 0;
}

void save() {
  for (int clock = 0; clock < clock_count; ++clock)
    if (is_monotonic(clock)) saved[clock] = read(clock) + monotonic.ahead[clock];
}

/// What the shared names say; false: nothing yet.
bool take_decision() {
  bool any = false;
  for (int clock = 0; clock < clock_count; ++clock) {
    int64_t value = 0;
    if (!is_monotonic(clock) || host->get_name(decided, clock, &value) != 0) continue;
    monotonic.ahead[clock] = value;
    any = true;
  }
  note_moved();
  return any;
}

/// A wait for a moment goes on: the kernel's time for it is another now.
int32_t set_waits_right(const int64_t* before) {
  int64_t number;
  uint64_t arguments[6], stack;
  for (uint32_t index = 0;; ++index) {
    int32_t virtual_tid, real_tid;
    if (host->thread(index, &virtual_tid, &real_tid) != 1) return 0;
    if (host->thread_call(index, &number, arguments, &stack) != 1) continue;
    uint64_t place = number == SYS_futex ? arguments[3] : number == SYS_clock_nanosleep ? arguments[2] : 0;
    if (place == 0) continue;
    Moment::Marked marked;
    struct iovec local = {&marked, sizeof marked}, remote = {reinterpret_cast<void*>(place), sizeof marked};
    long size = sys(SYS_process_vm_readv, host->real_pid(), reinterpret_cast<long>(&local), 1, reinterpret_cast<long>(&remote), 1, 0);
    uint64_t clock = marked.second ^ Moment::second_mark;
    if (size != sizeof marked || marked.first != Moment::first_mark || clock >= clock_count || !is_monotonic(static_cast<clockid_t>(clock))) continue;
    auto* time = reinterpret_cast<struct timespec*>(place);
    *time = plugin::moved_by(*time, before[clock] - monotonic.ahead[clock]);
  }
}

int32_t restart() {
  const char* setting = plugin::option(host, "clock");
  bool continues = setting != nullptr && plugin::same(setting, "continue");
  if (setting != nullptr && !continues && !plugin::same(setting, "go-on"))
    return host->fail(-EINVAL, "clock", "the setting \"clock\" has to be \"go-on\" or \"continue\"");
  int64_t before[clock_count];
  for (int clock = 0; clock < clock_count; ++clock) before[clock] = monotonic.ahead[clock];
  bool behind = false;
  for (int clock = 0; clock < clock_count; ++clock)
    if (is_monotonic(clock) && saved[clock] >= 0) behind = behind || read(clock) + monotonic.ahead[clock] < saved[clock];
  if (behind && !continues && plugin::is_root(host))
    host->log(CAIRN_LOG_INFO, "the machine's monotonic clock is behind that of the snapshot: the program's continues from there");
  for (int clock = 0; clock < clock_count; ++clock) {
    if (!is_monotonic(clock) || saved[clock] < 0) continue;
    int64_t ahead = continues || behind ? saved[clock] - read(clock) : monotonic.ahead[clock];
    int64_t holder = ahead;
    if (host->claim_name(decided, clock, ahead, &holder) == -EEXIST) ahead = holder;
    monotonic.ahead[clock] = ahead;
  }
  note_moved();
  return set_waits_right(before);
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  // Also for programs that were executed after a restart; nobody has read a clock yet that must not go back.
  (void)take_decision();
  return 0;
}

int32_t event(uint32_t number, void*) {
  if (number == CAIRN_EVENT_PRECHECKPOINT) save();
  return number == CAIRN_EVENT_RESTART ? restart() : 0;
}

}  // namespace
}  // namespace cairn::clock

extern "C" const struct cairn_plugin cairn_plugin_clock = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "clock", "1.0", "Cairn", cairn::clock::init,
    cairn::clock::event, nullptr, nullptr, nullptr, nullptr,
};
