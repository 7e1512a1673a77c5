// Signals to oneself by virtual ids: kill, raise, tgkill and tkill by syscall(), sigqueue, killpg of another group fails rightly;
// the sender in siginfo is the virtual pid.
// sabotage: poke @pid
#include "../probe.h"

static volatile int count, value;
static volatile pid_t sender, taker, thread_tid;
static volatile int stop;
static pid_t pid;
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  sender = info->si_pid;
  value = info->si_value.sival_int;
  taker = gettid();
  count++;
}
static void *body(void *argument) {
  thread_tid = gettid();
  while (!stop) probe_sleep_ms(3);
  return argument;
}
static void expect(int wanted, pid_t by, const char *how) {
  WAIT_UNTIL(count == wanted, "%s did not arrive", how);
  CHECK(by == 0 || taker == by, "%s was taken by thread %d instead of %d", how, taker, by);
  CHECK(sender == getpid(), "%s says that it comes from %d instead of %d", how, sender, getpid());
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  pid = getpid();
  probe_note("pid", (uint64_t)(uintptr_t)&pid);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(thread_tid, "the thread did not start");
  probe_hold();
  CHECK(kill(pid, 0) == 0, "kill with signal 0");
  CHECK(kill(pid, SIGUSR1) == 0, "kill");
  expect(1, 0, "kill");
  CHECK(raise(SIGUSR1) == 0, "raise");
  expect(2, pid, "raise");
  CHECK(syscall(SYS_tgkill, pid, thread_tid, SIGUSR1) == 0, "tgkill by syscall()");
  expect(3, thread_tid, "tgkill by syscall()");
  CHECK(syscall(SYS_tkill, thread_tid, SIGUSR1) == 0, "tkill by syscall()");
  expect(4, thread_tid, "tkill by syscall()");
  CHECK(tgkill(pid, pid, SIGUSR1) == 0, "tgkill");
  expect(5, pid, "tgkill");
  CHECK(sigqueue(pid, SIGUSR1, (union sigval){.sival_int = 31}) == 0, "sigqueue");
  expect(6, 0, "sigqueue");
  CHECK(value == 31, "its value is %d", value);
  CHECK(syscall(SYS_kill, pid, SIGUSR1) == 0, "kill by syscall()");
  expect(7, 0, "kill by syscall()");
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
