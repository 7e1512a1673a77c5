// Threads wait in poll, ppoll, select and pselect on an eventfd and a timerfd, without a time-out and with one; none sees EINTR.
// sabotage: call close @wake
#include "../probe.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>

static int wake, never;
static volatile int done;
static volatile long timeouts;

static void *in_poll(void *argument) {
  struct pollfd fds[2] = {{wake, POLLIN, 0}, {never, POLLIN, 0}};
  CHECK(poll(fds, 2, -1) == 1 && fds[0].revents == POLLIN, "poll");
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  return argument;
}
static void *in_select(void *argument) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(wake, &set);
  FD_SET(never, &set);
  CHECK(select((wake > never ? wake : never) + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(wake, &set), "select");
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  return argument;
}
static void *with_timeout(void *argument) {
  while (!done) {
    struct pollfd fd = {never, POLLIN, 0};
    struct timespec time = {0, 60000000};
    CHECK(ppoll(&fd, 1, &time, NULL) == 0, "ppoll");
    fd_set set;
    FD_ZERO(&set);
    FD_SET(never, &set);
    time = (struct timespec){0, 60000000};
    CHECK(pselect(never + 1, &set, NULL, NULL, &time, NULL) == 0, "pselect");
    timeouts++;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  wake = eventfd(0, 0), never = timerfd_create(CLOCK_MONOTONIC, 0);
  CHECK(wake >= 0 && never >= 0, "descriptors");
  struct itimerspec time = {{0, 0}, {100000, 0}};
  CHECK(timerfd_settime(never, 0, &time, NULL) == 0, "timerfd_settime");
  probe_note("wake", (uint64_t)wake);
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, in_poll, NULL);
  pthread_create(&threads[1], NULL, in_select, NULL);
  pthread_create(&threads[2], NULL, with_timeout, NULL);
  probe_sleep_ms(20);
  probe_hold();
  CHECK(!done, "somebody did not wait");
  long so_far = timeouts;
  WAIT_UNTIL(timeouts > so_far + 1, "the time-outs do not come");
  uint64_t one = 1;
  CHECK(write(wake, &one, 8) == 8, "write");
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  CHECK(done == 2, "%d were woken", done);
  return probe_ok();
}
