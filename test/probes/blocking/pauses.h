// For probes that measure how long calls have waited: the time in which nothing of the program ran (a stop, the time between a snapshot
// and its restart) is not counted.
#pragma once
#include "../probe.h"

static volatile int64_t pauses;  // milliseconds in which this process did not run
static volatile int stop;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}
// Notes when nobody ran, as far as that is more than what a busy system makes of a short nap.
static void *watch(void *argument) {
  for (int64_t last = now(); !stop;) {
    probe_sleep_ms(3);
    int64_t next = now();
    if (next - last > 30) pauses += next - last;
    last = next;
  }
  return argument;
}
