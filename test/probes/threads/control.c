// pthread_kill, pthread_sigqueue, pthread_cancel, names and scheduling of threads made before the checkpoint work after it.
// sabotage: thread-call 1 prctl 15 @name
#include "../probe.h"

static volatile int started, signalled, value;
static volatile pid_t signalled_tid;

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  value = info->si_value.sival_int;
  signalled_tid = gettid();
  signalled++;
}
static pid_t tid;
static char other_name[16] = "not-this";

static void *own_frame;
static void *body(void *argument) {
  tid = gettid();
  own_frame = __builtin_frame_address(0);
  started = 1;
  for (;;) probe_sleep_ms(20);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("name", (uint64_t)(uintptr_t)other_name);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR2, &action, NULL);
  pthread_t thread;
  pthread_attr_t made_with;
  pthread_attr_init(&made_with);
  pthread_attr_setguardsize(&made_with, 8192);
  pthread_create(&thread, &made_with, body, NULL);
  CHECK(pthread_setname_np(thread, "before") == 0, "pthread_setname_np");
  WAIT_UNTIL(started, "the thread did not start");
  probe_hold();
  char name[16];
  CHECK(pthread_getname_np(thread, name, sizeof name) == 0 && strcmp(name, "before") == 0, "thread name is %s", name);
  CHECK(pthread_setname_np(thread, "after") == 0, "pthread_setname_np");
  CHECK(pthread_getname_np(thread, name, sizeof name) == 0 && strcmp(name, "after") == 0, "new thread name is %s", name);
  CHECK(pthread_kill(thread, 0) == 0, "pthread_kill with signal 0");
  CHECK(pthread_kill(thread, SIGUSR2) == 0, "pthread_kill");
  WAIT_UNTIL(signalled == 1, "the signal did not arrive");
  CHECK(signalled_tid == tid, "the signal went to thread %d instead of %d", signalled_tid, tid);
  CHECK(pthread_sigqueue(thread, SIGUSR2, (union sigval){.sival_int = 4711}) == 0, "pthread_sigqueue");
  WAIT_UNTIL(signalled == 2, "the queued signal did not arrive");
  CHECK(value == 4711, "its value is %d", value);
  int policy;
  struct sched_param parameters;
  CHECK(pthread_getschedparam(thread, &policy, &parameters) == 0 && policy == SCHED_OTHER, "pthread_getschedparam");
  cpu_set_t set;
  CHECK(pthread_getaffinity_np(thread, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0, "pthread_getaffinity_np");
  pthread_attr_t attributes;
  void *stack = NULL;
  size_t bytes = 0;
  CHECK(pthread_getattr_np(thread, &attributes) == 0 && pthread_attr_getstack(&attributes, &stack, &bytes) == 0 && bytes, "pthread_getattr_np");
  CHECK((char *)own_frame > (char *)stack && (char *)own_frame < (char *)stack + bytes, "the thread's stack is elsewhere");
  size_t guard = 0;
  int state = -1;
  CHECK(pthread_attr_getguardsize(&attributes, &guard) == 0 && guard == 8192, "its guard has %zu bytes", guard);
  CHECK(pthread_attr_getdetachstate(&attributes, &state) == 0 && state == PTHREAD_CREATE_JOINABLE, "it is detached");
  cpu_set_t attribute_set;
  CHECK(pthread_attr_getaffinity_np(&attributes, sizeof attribute_set, &attribute_set) == 0 && CPU_EQUAL(&set, &attribute_set), "its processors");
  CHECK(pthread_attr_destroy(&attributes) == 0, "pthread_attr_destroy");
  CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0 && pthread_attr_getstack(&attributes, &stack, &bytes) == 0, "pthread_getattr_np of the main thread");
  CHECK((char *)&attributes > (char *)stack && (char *)&attributes < (char *)stack + bytes, "the main thread's stack is elsewhere");
  CHECK(pthread_attr_getaffinity_np(&attributes, sizeof attribute_set, &attribute_set) == 0 && CPU_COUNT(&attribute_set) > 0, "the main thread's processors");
  pthread_attr_destroy(&attributes);
  void *result;
  CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "pthread_cancel");
  return probe_ok();
}
