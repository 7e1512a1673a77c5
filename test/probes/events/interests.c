// epoll: level, edge and oneshot entries with their data, one that has reported, one of a number that is another's now, a nested
// instance, an entry that was changed, one that was removed; a thread waits without a time-out.
// sabotage: call close @nested
#include "../probe.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int waited_for;
static volatile uint64_t reported;
static volatile int begun;
static void *body(void *argument) {
  begun = 1;
  struct epoll_event event;
  CHECK(epoll_wait(waited_for, &event, 1, -1) == 1, "epoll_wait");
  reported = event.data.u64;
  return argument;
}
static void control(int instance, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  CHECK(epoll_ctl(instance, operation, fd, &event) == 0, "epoll_ctl %d of %d", operation, fd);
}
// What one epoll_wait reports, as the sum of the data.
static uint64_t report(int instance, int *count) {
  struct epoll_event events[16];
  *count = epoll_wait(instance, events, 16, 0);
  uint64_t sum = 0;
  for (int i = 0; i < *count; i++) sum += events[i].data.u64;
  return sum;
}
static void add(int fd, uint64_t value) { CHECK(write(fd, &value, 8) == 8, "write to the eventfd"); }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int instance = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create1(0), count;
  waited_for = epoll_create1(0);
  int level = eventfd(0, 0), edge = eventfd(0, 0), oneshot = eventfd(0, 0), spent = eventfd(1, 0), hidden = eventfd(0, 0);
  int changed = eventfd(1, 0), removed = eventfd(1, 0), inner = eventfd(0, 0), waited = eventfd(0, 0), moved = eventfd(0, 0);
  control(instance, EPOLL_CTL_ADD, spent, EPOLLIN | EPOLLONESHOT, 1000000);
  CHECK(report(instance, &count) == 1000000 && report(instance, &count) == 0, "oneshot");
  control(instance, EPOLL_CTL_ADD, level, EPOLLIN, 1);
  control(instance, EPOLL_CTL_ADD, edge, EPOLLIN | EPOLLET, 10);
  control(instance, EPOLL_CTL_ADD, oneshot, EPOLLIN | EPOLLONESHOT, 100);
  control(instance, EPOLL_CTL_ADD, changed, EPOLLIN, 5);
  control(instance, EPOLL_CTL_MOD, changed, EPOLLPRI, 0xfedcba9876543210ull);
  control(instance, EPOLL_CTL_ADD, removed, EPOLLIN, 7);
  control(instance, EPOLL_CTL_DEL, removed, 0, 0);
  // Its number becomes another's; a copy keeps the entry.
  control(instance, EPOLL_CTL_ADD, moved, EPOLLIN, 10000);
  int kept = dup(moved);
  CHECK(dup2(hidden, moved) == moved, "dup2");
  control(outer, EPOLL_CTL_ADD, instance, EPOLLIN, 3);
  control(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 4);
  control(waited_for, EPOLL_CTL_ADD, waited, EPOLLIN, 0x1122334455667788ull);
  probe_note("nested", (uint64_t)instance);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  // Until then libc may block all signals in it.
  WAIT_UNTIL(begun, "the thread does not begin");
  probe_hold();
  CHECK(fcntl(instance, F_GETFD) == FD_CLOEXEC, "close-on-exec");
  CHECK(report(instance, &count) == 0 && count == 0, "%d are ready", count);
  CHECK(report(outer, &count) == 0 && count == 0, "%d are ready", count);
  add(level, 1), add(edge, 1), add(oneshot, 1), add(kept, 1), add(spent, 1), add(hidden, 1);
  CHECK(report(outer, &count) == 3, "the outer one reports the wrong entry");
  CHECK(report(instance, &count) == 10111 && count == 4, "%d are ready", count);
  CHECK(report(instance, &count) == 10001 && count == 2, "%d are ready again", count);
  add(edge, 1);
  CHECK(report(instance, &count) == 10011, "the edge is not reported");
  control(instance, EPOLL_CTL_MOD, spent, EPOLLIN | EPOLLONESHOT, 1000000);
  CHECK(report(instance, &count) == 1010001, "what was armed again is not reported");
  control(instance, EPOLL_CTL_MOD, changed, EPOLLIN, 0xfedcba9876543210ull);
  CHECK(report(instance, &count) == 10001 + 0xfedcba9876543210ull, "what was changed is not reported");
  struct epoll_event event = {.events = EPOLLIN};
  CHECK(epoll_ctl(instance, EPOLL_CTL_MOD, removed, &event) == -1 && errno == ENOENT, "what was removed is there");
  add(waited, 1);
  WAIT_UNTIL(reported == 0x1122334455667788ull, "epoll_wait does not end");
  pthread_join(thread, NULL);
  return probe_ok();
}
