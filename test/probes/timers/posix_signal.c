// POSIX timers that signal: periodic, one-shot still to come, disarmed; ids, values, intervals; to the process and to a thread.
// churn: SigPnd ShdPnd
// sabotage: call timer_delete @kernelid
// bits: 64, 32
#include "../probe.h"

static volatile int periodic, late, to_thread, stop;
static volatile pid_t thread_tid, wrong_thread;
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  if (info->si_value.sival_int == 1) periodic++;
  if (info->si_value.sival_int == 2) late++;
  if (info->si_value.sival_int == 3) {
    to_thread++;
    if (gettid() != thread_tid) wrong_thread = gettid();
  }
}
static void *body(void *argument) {
  thread_tid = gettid();
  while (!stop) probe_sleep_ms(3);
  return argument;
}
static timer_t make(int value, int notify, pid_t tid) {
  struct sigevent event = {.sigev_notify = notify, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = value};
  if (tid) event._sigev_un._tid = tid;
  timer_t timer;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  return timer;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGRTMIN + 1, &action, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(thread_tid, "the thread did not start");
  timer_t ticking = make(1, SIGEV_SIGNAL, 0), once = make(2, SIGEV_SIGNAL, 0), directed = make(3, SIGEV_THREAD_ID, thread_tid);
  timer_t idle = make(4, SIGEV_SIGNAL, 0), silent;
  struct sigevent nothing = {.sigev_notify = SIGEV_NONE};
  CHECK(timer_create(CLOCK_REALTIME, &nothing, &silent) == 0, "timer_create");
  struct itimerspec every = {{0, 30000000}, {0, 30000000}}, far = {{0, 0}, {600, 0}}, now;
  CHECK(timer_settime(ticking, 0, &every, NULL) == 0 && timer_settime(directed, 0, &every, NULL) == 0, "timer_settime");
  CHECK(timer_settime(once, 0, &far, NULL) == 0 && timer_settime(silent, 0, &far, NULL) == 0, "timer_settime");
  WAIT_UNTIL(periodic > 1 && to_thread > 1, "the timers do not tick");
  probe_note("kernelid", (uint64_t)(uintptr_t)ticking & 0x7fffffff);
  probe_hold();
  int ticks = periodic, thread_ticks = to_thread;
  WAIT_UNTIL(periodic > ticks + 2, "the periodic timer stopped");
  WAIT_UNTIL(to_thread > thread_ticks + 2, "the thread's timer stopped");
  CHECK(!wrong_thread, "thread %d got the signal of thread %d", wrong_thread, thread_tid);
  CHECK(timer_gettime(ticking, &now) == 0 && now.it_interval.tv_nsec == 30000000, "interval");
  CHECK(timer_gettime(once, &now) == 0 && now.it_value.tv_sec >= 400 && now.it_value.tv_sec <= 600, "the late timer has %ld s left", (long)now.it_value.tv_sec);
  CHECK(timer_gettime(silent, &now) == 0 && now.it_value.tv_sec >= 400, "the silent timer has %ld s left", (long)now.it_value.tv_sec);
  CHECK(timer_gettime(idle, &now) == 0 && now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0, "the idle timer runs");
  CHECK(late == 0, "the late timer fired");
  struct itimerspec soon = {{0, 0}, {0, 1000000}};
  CHECK(timer_settime(once, 0, &soon, NULL) == 0, "timer_settime");
  WAIT_UNTIL(late == 1, "the late timer does not fire");
  CHECK(timer_getoverrun(ticking) >= 0, "timer_getoverrun");
  CHECK(timer_delete(ticking) == 0 && timer_delete(once) == 0 && timer_delete(directed) == 0 && timer_delete(idle) == 0 && timer_delete(silent) == 0, "timer_delete");
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
