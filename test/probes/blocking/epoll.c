// epoll_wait with a time-out, on an epoll instance that watches an eventfd and a timerfd.
// sabotage: call close @epoll
#include "../probe.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static volatile int stop;
static volatile long timeouts;
static int instance;
static void *body(void *argument) {
  while (!stop) {
    struct epoll_event event;
    int got = epoll_wait(instance, &event, 1, 150);
    CHECK(got == 0, "epoll_wait gave %d", got);
    timeouts++;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  instance = epoll_create1(EPOLL_CLOEXEC);
  int event = eventfd(0, EFD_NONBLOCK);
  struct epoll_event interest = {.events = EPOLLIN, .data.u64 = 0x1122334455667788ull};
  CHECK(epoll_ctl(instance, EPOLL_CTL_ADD, event, &interest) == 0, "epoll_ctl");
  probe_note("epoll", (uint64_t)instance);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  probe_hold();
  long so_far = timeouts;
  WAIT_UNTIL(timeouts > so_far, "epoll_wait does not end");
  stop = 1;
  pthread_join(thread, NULL);
  uint64_t one = 1;
  CHECK(write(event, &one, 8) == 8, "write to the eventfd");
  struct epoll_event got;
  CHECK(epoll_wait(instance, &got, 1, 1000) == 1 && got.data.u64 == interest.data.u64, "epoll_wait after the write");
  return probe_ok();
}
