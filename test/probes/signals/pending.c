// Signals that are blocked and pending, for the process and for one thread, stay pending and are delivered when unblocked.
// sabotage: call rt_sigtimedwait @pendingset 0 @zero 8
#include "../probe.h"

static volatile int stop, started, process_wide, thread_wide;
static volatile pid_t thread_tid, got_tid;
static void on_process(int number) { (void)number, process_wide++; }
static void on_thread(int number) {
  (void)number;
  got_tid = gettid();
  thread_wide++;
}

static void *body(void *argument) {
  sigset_t set;
  thread_tid = gettid();
  pthread_kill(pthread_self(), SIGUSR2);
  started = 1;
  while (!stop) probe_sleep_ms(3);
  sigpending(&set);
  CHECK(sigismember(&set, SIGUSR2), "SIGUSR2 is no longer pending for the thread");
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  CHECK(thread_wide == 1 && got_tid == thread_tid, "SIGUSR2 was delivered %d times", thread_wide);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static uint64_t pending_set = 1ull << (SIGUSR1 - 1), zero[2];
  probe_note("pendingset", (uint64_t)(uintptr_t)&pending_set);
  probe_note("zero", (uint64_t)(uintptr_t)zero);
  signal(SIGUSR1, on_process);
  signal(SIGUSR2, on_thread);
  sigset_t blocked, set;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(started, "the thread did not start");
  kill(getpid(), SIGUSR1);
  probe_hold();
  CHECK(process_wide == 0 && thread_wide == 0, "delivered although blocked: %d, %d", process_wide, thread_wide);
  sigpending(&set);
  CHECK(sigismember(&set, SIGUSR1), "SIGUSR1 is no longer pending for the process");
  CHECK(!sigismember(&set, SIGUSR2), "the thread's signal became pending for main");
  stop = 1;
  pthread_join(thread, NULL);
  pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
  CHECK(process_wide == 1 && thread_wide == 1, "delivered %d and %d times", process_wide, thread_wide);
  return probe_ok();
}
