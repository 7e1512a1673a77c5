// Waits of five seconds in poll, ppoll, select, pselect, epoll_wait and epoll_pwait that a checkpoint meets when less than two remain:
// neither that nor a restart begins them anew.
// sabotage: call close @event
// churn: threads
// attached: not known: when a wait began that was there before
#include "../probe.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

static int event, instance;
enum { WAIT_MS = 5000, REMAINS_MS = 2000, THREADS = 6 };

static int wait_once(int which) {
  struct pollfd fd = {event, POLLIN, 0};
  struct timespec time = {WAIT_MS / 1000, 0};
  struct timeval old_time = {WAIT_MS / 1000, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(event, &set);
  if (which == 0) return poll(&fd, 1, WAIT_MS);
  if (which == 1) return ppoll(&fd, 1, &time, NULL);
  if (which == 2) return select(event + 1, &set, NULL, NULL, &old_time);
  if (which == 3) return pselect(event + 1, &set, NULL, NULL, &time, NULL);
  struct epoll_event got;
  if (which == 4) return epoll_wait(instance, &got, 1, WAIT_MS);
  sigset_t none;
  sigemptyset(&none);
  return epoll_pwait(instance, &got, 1, WAIT_MS, &none);
}
static void *body(void *argument) {
  int which = (int)(intptr_t)argument;
  int result = wait_once(which);
  CHECK(result == 0, "wait %d gave %d", which, result);
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  event = eventfd(0, 0), instance = epoll_create1(0);
  struct epoll_event interest = {.events = EPOLLIN};
  CHECK(epoll_ctl(instance, EPOLL_CTL_ADD, event, &interest) == 0, "epoll_ctl");
  probe_note("event", (uint64_t)event);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  probe_sleep_ms(WAIT_MS - REMAINS_MS);
  probe_hold();
  struct timespec began, now;
  clock_gettime(CLOCK_MONOTONIC, &began);
  CHECK(fcntl(event, F_GETFD) == 0, "the eventfd is closed");
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  clock_gettime(CLOCK_MONOTONIC, &now);
  long took = (now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000;
  CHECK(took < REMAINS_MS + 1500, "they waited %ld ms more, of which %d at most remained", took, REMAINS_MS);
  return probe_ok();
}
