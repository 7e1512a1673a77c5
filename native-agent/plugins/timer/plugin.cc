// Owns: the plugin `timer`: interval timers and POSIX timers.
// A timer goes on after a restart with the time that it had left: the time between checkpoint and restart does not count, whatever
// the clock, and an absolute time of expiry becomes the distance to it. Overruns of before are not carried over.
// [quiesced] saves; [restoring] renews; started last, when all is there. Test: tests/timer_plugin_test.cc.
#include <errno.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "common/text.h"
#include "timer/posix_timers.h"

namespace cairn::timer {

namespace {

constexpr int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
constexpr const char* names[] = {"ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"};

const cairn_host* host = nullptr;
struct itimerval interval_timers[3];
bool saved = false;

int32_t save() {
  for (int kind : kinds) {
    long error = host->syscall(SYS_getitimer, kind, reinterpret_cast<long>(&interval_timers[kind]), 0, 0, 0, 0);
    if (error < 0) return host->fail(static_cast<int32_t>(error), names[kind], "The interval timer could not be read (getitimer).");
  }
  int32_t error = save_posix_timers(host);
  saved = error == 0;
  return error;
}

int32_t restore() {
  if (!saved) return 0;
  int32_t error = create_posix_timers(host);
  if (error < 0) return error;
  for (int kind : kinds) {
    struct itimerval timer = interval_timers[kind];
    if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) {
      // With its signal pending the kernel shows no time left, and starts the next interval when the signal is taken: the
      // signal is queued again, but belongs to no timer any more.
      if (timer.it_interval.tv_sec == 0 && timer.it_interval.tv_usec == 0) continue;
      timer.it_value = timer.it_interval;
    }
    long result = host->syscall(SYS_setitimer, kind, reinterpret_cast<long>(&timer), 0, 0, 0, 0);
    if (result < 0) return host->fail(static_cast<int32_t>(result), names[kind], "The interval timer could not be set again (setitimer).");
  }
  return start_posix_timers(host);
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return 0;
}

int32_t event(uint32_t number, void*) { return number == CAIRN_EVENT_PRECHECKPOINT ? save() : 0; }

const char* const restart_barriers[] = {"start", nullptr};

int32_t barrier(const char*, uint32_t) { return restore(); }

}  // namespace

}  // namespace cairn::timer

extern "C" const struct cairn_plugin cairn_plugin_timer = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "timer", "1.0.0", "Cairn",
    cairn::timer::init,   cairn::timer::event,    nullptr,                nullptr, cairn::timer::restart_barriers, cairn::timer::barrier};
