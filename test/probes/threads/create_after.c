// After the checkpoint: threads of every kind are made, joined (with and without a deadline), cancelled, and their stacks reused.
// sabotage: call setrlimit 9 @limit
#include "../probe.h"
#include <sys/resource.h>

static struct rlimit tiny = {4096, 4096};

static void *nothing(void *argument) { return argument; }
static void *leave(void *argument) { pthread_exit(argument); }
static void *nap(void *argument) {
  for (;;) probe_sleep_ms(100);
  return argument;
}

static void use_threads(size_t stack_bytes) {
  pthread_t thread;
  void *result;
  for (intptr_t i = 0; i < 50; i++) {
    CHECK(pthread_create(&thread, NULL, i % 2 ? nothing : leave, (void *)i) == 0, "pthread_create %d", (int)i);
    CHECK(pthread_join(thread, &result) == 0 && result == (void *)i, "pthread_join %d", (int)i);
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_attr_setguardsize(&attributes, 1 << 16);
  CHECK(pthread_create(&thread, &attributes, nap, NULL) == 0, "pthread_create with attributes");
  CHECK(pthread_tryjoin_np(thread, NULL) == EBUSY, "pthread_tryjoin_np of a running thread");
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_nsec += 20000000;
  if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
  CHECK(pthread_timedjoin_np(thread, NULL, &soon) == ETIMEDOUT, "pthread_timedjoin_np");
  CHECK(pthread_cancel(thread) == 0, "pthread_cancel");
  CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "join of a cancelled thread");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("limit", (uint64_t)(uintptr_t)&tiny);
  use_threads(1 << 20);
  probe_hold();
  // Larger than any that libc keeps from before.
  use_threads(64 << 20);
  return probe_ok();
}
