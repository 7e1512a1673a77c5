// timerfd: time left, interval, expirations that nobody has read, a timer that is not set, one of an absolute time; a thread that
// waits in read on one.
// sabotage: call close @far
// bits: 64, 32
#include "../probe.h"
#include <poll.h>
#include <sys/timerfd.h>

static int slow;
static volatile long expired;
static void *body(void *argument) {
  uint64_t count;
  while (expired >= 0 && read(slow, &count, 8) == 8) {
    CHECK(count >= 1, "expired %lu times", (unsigned long)count);
    if (expired >= 0) expired++;
  }
  return argument;
}
static int set(int clock, int flags, int settings, long first_ms, long interval_ms) {
  int fd = timerfd_create(clock, flags);
  struct itimerspec time = {{interval_ms / 1000, interval_ms % 1000 * 1000000}, {first_ms / 1000, first_ms % 1000 * 1000000}};
  if (settings != 0) {
    struct timespec now;
    clock_gettime(clock, &now);
    time.it_value.tv_sec += now.tv_sec, time.it_value.tv_nsec += now.tv_nsec;
    if (time.it_value.tv_nsec >= 1000000000) time.it_value.tv_sec++, time.it_value.tv_nsec -= 1000000000;
  }
  CHECK(fd >= 0 && timerfd_settime(fd, settings, &time, NULL) == 0, "timerfd_settime");
  return fd;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int far_off = set(CLOCK_MONOTONIC, TFD_NONBLOCK, 0, 1000000, 5000), absolute = set(CLOCK_REALTIME, TFD_NONBLOCK, TFD_TIMER_ABSTIME, 2000000, 0);
  int quick = set(CLOCK_MONOTONIC, 0, 0, 1, 20), once = set(CLOCK_BOOTTIME, 0, 0, 1, 0), unset = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  int cancelled = set(CLOCK_REALTIME, TFD_NONBLOCK, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 3000000, 0);
  slow = set(CLOCK_MONOTONIC, 0, 0, 100, 100);
  probe_note("far", (uint64_t)far_off);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  struct timespec began, now;
  clock_gettime(CLOCK_MONOTONIC, &began);
  struct pollfd ready = {once, POLLIN, 0};
  CHECK(poll(&ready, 1, 5000) == 1, "a timer does not expire");
  probe_sleep_ms(200);
  probe_hold();
  uint64_t count = 0;
  struct itimerspec left;
  clock_gettime(CLOCK_MONOTONIC, &now);
  // Nine at least by then, and no more than the time since allows.
  CHECK(read(quick, &count, 8) == 8 && count >= 9, "expired only %lu times", (unsigned long)count);
  CHECK((long)count <= ((now.tv_sec - began.tv_sec) * 1000 + 1000) / 20 + 1, "expired %lu times", (unsigned long)count);
  CHECK(timerfd_gettime(quick, &left) == 0 && left.it_interval.tv_nsec == 20000000 && left.it_value.tv_nsec <= 20000000, "interval");
  CHECK(read(once, &count, 8) == 8 && count == 1, "expired %lu times", (unsigned long)count);
  CHECK(read(unset, &count, 8) == -1 && errno == EAGAIN, "what was not set expires");
  CHECK(timerfd_gettime(unset, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0, "what was not set is set");
  CHECK(read(far_off, &count, 8) == -1 && errno == EAGAIN, "expired too early");
  CHECK(timerfd_gettime(far_off, &left) == 0 && left.it_interval.tv_sec == 5, "interval");
  CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec <= 1000, "%ld s are left", (long)left.it_value.tv_sec);
  CHECK(timerfd_gettime(absolute, &left) == 0 && left.it_value.tv_sec > 1900 && left.it_value.tv_sec <= 2000, "%ld s are left", (long)left.it_value.tv_sec);
  CHECK(timerfd_gettime(cancelled, &left) == 0 && left.it_value.tv_sec > 2900 && left.it_value.tv_sec <= 3000, "%ld s are left", (long)left.it_value.tv_sec);
  CHECK(fcntl(far_off, F_GETFL) == (O_RDWR | O_NONBLOCK), "flags");
  long so_far = expired;
  WAIT_UNTIL(expired > so_far + 1, "the read does not end");
  expired = -1;
  pthread_join(thread, NULL);
  return probe_ok();
}
