// eventfd: its value and whether it is a semaphore; signalfd: its mask. Both from fdinfo, which changes nothing.
#include <sys/eventfd.h>

#include "event/events.h"

namespace cairn::event {

int32_t save_counter(Instance* instance) {
  Lines lines(host, info_path(instance->fd).text());
  if (lines.error() != 0) return fail(lines.error(), *instance, "its value cannot be read from /proc");
  while (const char* line = lines.next()) {
    const char* rest;
    if (plugin::begins(line, "eventfd-count:", &rest)) instance->value = static_cast<uint64_t>(number_at(&rest, 16));
    if (plugin::begins(line, "eventfd-semaphore:", &rest)) instance->semaphore = number_at(&rest, 10) != 0;
  }
  return 0;
}

int32_t make_counter(const Instance& instance) {
  // Non-blocking at first: the value may be as large as it can be.
  long fd = sys(SYS_eventfd2, 0, EFD_NONBLOCK | (instance.semaphore ? EFD_SEMAPHORE : 0));
  if (fd < 0 || instance.value == 0) return static_cast<int32_t>(fd);
  uint64_t value = instance.value == UINT64_MAX ? UINT64_MAX - 1 : instance.value;
  long count = sys(SYS_write, fd, pointer(&value), sizeof value);
  return static_cast<int32_t>(count < 0 ? count : fd);
}

int32_t save_signals(Instance* instance) {
  Lines lines(host, info_path(instance->fd).text());
  if (lines.error() != 0) return fail(lines.error(), *instance, "its mask cannot be read from /proc");
  while (const char* line = lines.next()) {
    const char* rest;
    if (plugin::begins(line, "sigmask:", &rest)) instance->value = static_cast<uint64_t>(number_at(&rest, 16));
  }
  return 0;
}

int32_t make_signals(const Instance& instance) {
  return static_cast<int32_t>(sys(SYS_signalfd4, -1, pointer(&instance.value), sizeof instance.value, 0));
}

}  // namespace cairn::event
