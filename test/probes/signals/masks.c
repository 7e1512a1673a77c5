// Each thread keeps its own signal mask, libc's internal signals included, and the mask governs who gets a signal.
// sabotage: thread-call 1 rt_sigprocmask 2 @empty 0 8
#include "../probe.h"

static volatile int stop, started;
static uint64_t empty_mask;
static volatile pid_t taken_by;
static void on_signal(int number) { (void)number, taken_by = gettid(); }

static void *body(void *argument) {
  int index = (int)(intptr_t)argument;
  sigset_t mine, now;
  sigemptyset(&mine);
  sigaddset(&mine, SIGUSR1);
  sigaddset(&mine, SIGRTMIN + index);
  sigaddset(&mine, SIGURG + index);
  pthread_sigmask(SIG_SETMASK, &mine, NULL);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  while (!stop) probe_sleep_ms(3);
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (int i = 1; i < NSIG; i++) CHECK(sigismember(&now, i) == sigismember(&mine, i), "signal %d in the mask of thread %d", i, index);
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("empty", (uint64_t)(uintptr_t)&empty_mask);
  signal(SIGUSR1, on_signal);
  sigset_t full, now;
  pthread_t threads[4];
  for (intptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  WAIT_UNTIL(started == 4, "not all threads started");
  sigfillset(&full);
  sigdelset(&full, SIGUSR1);
  pthread_sigmask(SIG_SETMASK, &full, NULL);
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  probe_hold();
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (int i = 1; i < NSIG; i++) CHECK(sigismember(&now, i) == sigismember(&before, i), "signal %d in main's mask", i);
  kill(getpid(), SIGUSR1);
  WAIT_UNTIL(taken_by, "SIGUSR1 did not arrive");
  CHECK(taken_by == gettid(), "SIGUSR1 was taken by %d, which blocks it", taken_by);
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return probe_ok();
}
