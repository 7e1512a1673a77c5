// A descriptor comes in the place of another one while the run goes on: entries of epoll instances belong to the open file description,
// and would go with the old one. [quiesced] Test: test/probes/external.test.ts
#include <linux/kcmp.h>
#include <sys/epoll.h>

#include "event/events.h"

namespace cairn::event {
namespace {

struct Entry {
  int32_t instance;
  uint32_t events;
  uint64_t data;
};
constexpr uint32_t capacity = 256;
Entry entries[capacity];
uint32_t count = 0;

/// The number may also stand for something that had it before; that one keeps its entry.
bool is_of(int32_t instance, int32_t number, uint32_t occurrence) {
  const struct {
    uint32_t instance, number, occurrence;
  } slot = {static_cast<uint32_t>(instance), static_cast<uint32_t>(number), occurrence};
  long self = sys(SYS_getpid);
  return sys(SYS_kcmp, self, self, KCMP_EPOLL_TFD, number, pointer(&slot)) == 0;
}

void read_entries(int32_t instance, int32_t number) {
  Lines lines(host, info_path(instance).text());
  uint32_t occurrence = 0;
  while (const char* line = lines.next()) {
    const char* rest;
    if (!plugin::begins(line, "tfd:", &rest) || number_at(&rest, 10) != number) continue;
    if (!is_of(instance, number, occurrence++) || count == capacity) continue;
    entries[count++] = {instance, static_cast<uint32_t>(field(line, "events:", 16)), static_cast<uint64_t>(field(line, "data:", 16))};
  }
}

void find_entries(int32_t number) {
  count = 0;
  char target[64];
  (void)plugin::for_each_entry(host, "/proc/thread-self/fd", [&](long folder, const plugin::KernelDirent& entry) {
    const char* name = entry.name;
    int64_t fd = 0;
    if (!plugin::read_number(&name, 10, &fd) || fd == folder || host->own_fd(static_cast<int32_t>(fd)) != 0) return false;
    long length = sys(SYS_readlinkat, folder, pointer(entry.name), pointer(target), sizeof target - 1);
    if (length <= 0) return false;
    target[length] = 0;
    if (plugin::same(target, "anon_inode:[eventpoll]")) read_entries(static_cast<int32_t>(fd), number);
    return false;
  });
}

}  // namespace

int32_t replace(int32_t number, int32_t fd) {
  find_entries(number);
  for (uint32_t i = 0; i < count; ++i) sys(SYS_epoll_ctl, entries[i].instance, EPOLL_CTL_DEL, number, 0);
  int32_t error = static_cast<int32_t>(sys(SYS_dup3, fd, number, 0));
  for (uint32_t i = 0; i < count; ++i) {
    struct epoll_event event = {};
    event.events = entries[i].events;
    event.data.u64 = entries[i].data;
    // Descriptors of one instance are several ways to it: -EEXIST.
    sys(SYS_epoll_ctl, entries[i].instance, EPOLL_CTL_ADD, number, pointer(&event));
  }
  return error < 0 ? error : 0;
}

}  // namespace cairn::event
