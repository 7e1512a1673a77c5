// epoll: the entries of its interest list. An entry belongs to a number and an open file description; each process adds those whose
// description it has, once all descriptors of all processes are there. Readiness is not saved: an edge-triggered entry that is ready
// reports so once more after a restart, as it does when it is added.
#include <linux/kcmp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "event/events.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

namespace cairn::event {
namespace {

/// What is left of the events of an entry with EPOLLONESHOT that has reported.
constexpr uint32_t private_bits = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;

struct Slot {  // the kernel's kcmp_epoll_slot
  uint32_t instance;
  uint32_t number;
  uint32_t occurrence;
};

bool is_target(int32_t fd, const Slot& slot) {
  long self = sys(SYS_getpid);
  return sys(SYS_kcmp, self, self, KCMP_EPOLL_TFD, fd, pointer(&slot)) == 0;
}

/// The number may have been given to something else meanwhile, while a copy of the descriptor keeps the entry alive.
int32_t find_source(const Slot& slot) {
  auto number = static_cast<int32_t>(slot.number);
  if (is_target(number, slot)) return number;
  Text<64> path;
  path.add("/proc/thread-self/status");
  Lines lines(host, path.text());
  int64_t size = 0;
  while (const char* line = lines.next()) {
    const char* rest;
    if (plugin::begins(line, "FDSize:", &rest)) size = number_at(&rest, 10);
  }
  for (int32_t fd = 0; fd < size; ++fd) {
    if (host->own_fd(fd) == 0 && is_target(fd, slot)) return fd;
  }
  return -1;
}

void warn(const Instance& instance, int32_t number, const char* what) {
  Text<256> text;
  text.add("epoll (descriptor ").add(int64_t{instance.fd}).add("): its entry for descriptor ").add(int64_t{number}).add(" ").add(what);
  host->log(CAIRN_LOG_WARNING, text.text());
}

long control(int32_t fd, int operation, int32_t target, uint32_t events, uint64_t data) {
  struct epoll_event event = {};
  event.events = events;
  event.data.u64 = data;
  return sys(SYS_epoll_ctl, fd, operation, target, pointer(&event));
}

/// Adds one under its old number, whatever has that number now.
long add(int32_t fd, const Interest& interest, uint32_t events) {
  if (interest.source == interest.number) return control(fd, EPOLL_CTL_ADD, interest.number, events, interest.data);
  long aside = sys(SYS_fcntl, interest.number, F_DUPFD_CLOEXEC, 0);
  long fd_flags = aside >= 0 ? sys(SYS_fcntl, interest.number, F_GETFD) : 0;
  long result = sys(SYS_dup3, interest.source, interest.number, 0);
  if (result >= 0) result = control(fd, EPOLL_CTL_ADD, interest.number, events, interest.data);
  if (aside >= 0) {
    sys(SYS_dup3, aside, interest.number, 0);
    sys(SYS_fcntl, interest.number, F_SETFD, fd_flags);
    sys(SYS_close, aside);
  } else {
    sys(SYS_close, interest.number);
  }
  return result;
}

bool disarmed(const Interest& interest) { return (interest.events & EPOLLONESHOT) != 0 && (interest.events & ~private_bits) == 0; }

/// The kernel disarms an entry when it reports: so it is made to, where there is something to report. Where there is not, only an
/// error or a hang-up could be reported without being asked for.
uint32_t events_to_report(const Interest& interest) {
  constexpr short all = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP;
  struct pollfd now = {interest.source, all, 0};
  struct timespec at_once = {};
  return sys(SYS_ppoll, pointer(&now), 1, pointer(&at_once), 0, 8) == 1 ? interest.events | all : interest.events;
}

void let_report(int32_t fd) {
  struct epoll_event reported[64];
  while (sys(SYS_epoll_pwait, fd, pointer(reported), 64, 0, 0, 8) == 64) {}
}

/// Whether the process's parent has the same open file description under the same number.
bool parent_has(int32_t fd) { return sys(SYS_kcmp, sys(SYS_getpid), sys(SYS_getppid), KCMP_FILE, fd, fd) == 0; }

bool is_signalfd(int32_t fd) {
  constexpr char wanted[] = "anon_inode:[signalfd]";
  Text<64> link;
  link.add("/proc/thread-self/fd/").add(int64_t{fd});
  char target[sizeof wanted] = {};
  return sys(SYS_readlink, pointer(link.text()), pointer(target), sizeof wanted - 1) == sizeof wanted - 1 && plugin::same(target, wanted);
}

/// An entry for a signalfd tells of the signals of the process that has added it, which is hardly ever one that has inherited both.
bool is_for_parent(const Interest& interest, bool inherited) {
  return inherited && is_signalfd(interest.source) && parent_has(interest.source);
}

int32_t added(const Instance& instance, const Interest& interest, long result) {
  if (result >= 0 || result == -EEXIST) return 0;  // another process with the same description was faster
  if (result == -EPERM || result == -EBADF) {
    warn(instance, interest.number, "is gone: what is there after the restart cannot be waited for");
    return 0;
  }
  return fail(static_cast<int32_t>(result), instance, "an entry cannot be added again");
}

}  // namespace

int32_t save_interests(Instance* instance) {
  Lines lines(host, info_path(instance->fd).text());
  if (lines.error() != 0) return fail(lines.error(), *instance, "its entries cannot be read from /proc");
  Interest** end = &instance->interest;
  while (const char* line = lines.next()) {
    const char* rest;
    if (!plugin::begins(line, "tfd:", &rest)) continue;
    auto* interest = static_cast<Interest*>(pool.take(host, sizeof(Interest)));
    if (interest == nullptr) return fail(-ENOMEM, *instance, "no memory for the list of its entries");
    *interest = {};
    interest->number = static_cast<int32_t>(number_at(&rest, 10));
    interest->events = static_cast<uint32_t>(field(line, "events:", 16));
    interest->data = static_cast<uint64_t>(field(line, "data:", 16));
    // The same number may be there several times, each for another description.
    Slot slot = {static_cast<uint32_t>(instance->fd), static_cast<uint32_t>(interest->number), 0};
    for (const Interest* other = instance->interest; other != nullptr; other = other->next) slot.occurrence += other->number == interest->number ? 1 : 0;
    interest->source = find_source(slot);
    if (interest->source < 0 && !instance->elsewhere) warn(*instance, interest->number, "is for a descriptor that was closed; it is lost at a restart unless another process has it");
    *end = interest;
    end = &interest->next;
  }
  return 0;
}

int32_t make_interests(const Instance&) { return static_cast<int32_t>(sys(SYS_epoll_create1, 0)); }

int32_t add_interests(const Instance& instance, int32_t fd) {
  bool any = false;
  const bool inherited = parent_has(fd);
  for (const Interest* one = instance.interest; one != nullptr; one = one->next) {
    if (one->source < 0 || !disarmed(*one) || is_for_parent(*one, inherited)) continue;
    any = true;
    if (int32_t error = added(instance, *one, add(fd, *one, events_to_report(*one)))) return error;
  }
  if (any) let_report(fd);
  for (const Interest* one = instance.interest; one != nullptr; one = one->next) {
    if (one->source < 0) continue;
    if (!disarmed(*one) && !is_for_parent(*one, inherited)) {
      if (int32_t error = added(instance, *one, add(fd, *one, one->events))) return error;
    }
  }
  return 0;
}

}  // namespace cairn::event
