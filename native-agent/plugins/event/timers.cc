// timerfd: clock, what is left, interval, and how often it has expired unread. As with other timers the time between checkpoint and
// restart does not count, and an absolute time of expiry becomes the distance to it.
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include "event/events.h"

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

namespace cairn::event {
namespace {

bool is_zero(const struct timespec& time) { return time.tv_sec == 0 && time.tv_nsec == 0; }

/// "(1, 500)"
struct timespec time_at(const char* text) {
  struct timespec time = {};
  while (*text != 0 && *text != '(') ++text;
  if (*text != 0) ++text;
  time.tv_sec = static_cast<time_t>(number_at(&text, 10));
  if (*text == ',') ++text;
  time.tv_nsec = static_cast<long>(number_at(&text, 10));
  return time;
}

int32_t read_info(Instance* instance) {
  Lines lines(host, info_path(instance->fd).text());
  if (lines.error() != 0) return fail(lines.error(), *instance, "its state cannot be read from /proc");
  while (const char* line = lines.next()) {
    const char* rest;
    if (plugin::begins(line, "clockid:", &rest)) instance->clock = static_cast<int32_t>(number_at(&rest, 10));
    if (plugin::begins(line, "ticks:", &rest)) instance->value = static_cast<uint64_t>(number_at(&rest, 10));
    if (plugin::begins(line, "settime flags:", &rest)) instance->set_flags = static_cast<uint32_t>(number_at(&rest, 8));
    if (plugin::begins(line, "it_value:", &rest)) instance->time.it_value = time_at(rest);
    if (plugin::begins(line, "it_interval:", &rest)) instance->time.it_interval = time_at(rest);
  }
  return 0;
}

/// Without the ioctl (a kernel without CONFIG_CHECKPOINT_RESTORE): an interval that began in the past has expired as often.
int32_t start_in_the_past(const Instance& instance, int32_t fd) {
  struct itimerspec time = {instance.time.it_interval, {0, 1}};
  int64_t interval = plugin::nanoseconds_of(instance.time.it_interval);
  if (interval == 0) return static_cast<int32_t>(sys(SYS_timerfd_settime, fd, 0, pointer(&time)));
  struct timespec now = {};
  sys(SYS_clock_gettime, instance.clock, pointer(&now));
  int64_t first = plugin::nanoseconds_of(now) + plugin::nanoseconds_of(instance.time.it_value) - static_cast<int64_t>(instance.value) * interval;
  time.it_value = plugin::timespec_of(first > 0 ? first : 1);
  return static_cast<int32_t>(sys(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, pointer(&time)));
}

}  // namespace

int32_t save_timer(Instance* instance) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    if (int32_t error = read_info(instance)) return error;
    // An interval that nobody has read since it expired stands still, and shows neither how often it would have expired nor what
    // is left, until it is asked for: that sets it going without taking anything from the application.
    if (instance->value == 0 || is_zero(instance->time.it_interval) || !is_zero(instance->time.it_value)) break;
    struct itimerspec ignored;
    sys(SYS_timerfd_gettime, instance->fd, pointer(&ignored));
  }
  return 0;
}

int32_t make_timer(const Instance& instance) {
  long fd = sys(SYS_timerfd_create, instance.clock, 0);
  bool alarm = instance.clock == CLOCK_REALTIME_ALARM || instance.clock == CLOCK_BOOTTIME_ALARM;
  if (fd != -EPERM || !alarm) return static_cast<int32_t>(fd);
  host->log(CAIRN_LOG_WARNING, "a timerfd cannot wake this system from sleep any more (CAP_WAKE_ALARM)");
  return static_cast<int32_t>(sys(SYS_timerfd_create, instance.clock == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME : CLOCK_BOOTTIME, 0));
}

int32_t start_timer(const Instance& instance, int32_t fd) {
  struct itimerspec time = instance.time;
  bool armed = !is_zero(time.it_value) || !is_zero(time.it_interval);
  if (!armed && instance.value == 0) return 0;
  // It was to be told when somebody sets the clock: that is only to be had with an absolute time.
  bool cancellable = (instance.set_flags & TFD_TIMER_CANCEL_ON_SET) != 0;
  uint32_t flags = 0;
  if (is_zero(time.it_value) && armed) time.it_value = {0, 1};
  if (cancellable && armed) {
    struct timespec now = {};
    sys(SYS_clock_gettime, instance.clock, pointer(&now));
    time.it_value = plugin::timespec_of(plugin::nanoseconds_of(now) + plugin::nanoseconds_of(time.it_value));
    flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  }
  long error = sys(SYS_timerfd_settime, fd, flags, pointer(&time));
  if (error < 0) return fail(static_cast<int32_t>(error), instance, "it cannot be set again (timerfd_settime)");
  if (instance.value == 0 || sys(SYS_ioctl, fd, TFD_IOC_SET_TICKS, pointer(&instance.value)) == 0) return 0;
  return start_in_the_past(instance, fd);
}

}  // namespace cairn::event
