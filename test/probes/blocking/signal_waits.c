// sigwait, sigwaitinfo, sigtimedwait, pause and sigsuspend last until their own signal comes; EINTR never shows by itself.
// sabotage: signal-thread 1 12
#include "../probe.h"

static volatile int started, done[5];
static volatile long timeouts;
static volatile int stop, handled;
static void on_signal(int number) { (void)number, handled++; }

static void *body(void *argument) {
  int which = (int)(intptr_t)argument;
  sigset_t set, rest;
  siginfo_t info;
  int number = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigfillset(&rest);
  sigdelset(&rest, SIGUSR2);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  errno = 0;
  if (which == 0) CHECK(sigwait(&set, &number) == 0 && number == SIGRTMIN + 1, "sigwait");
  if (which == 1) CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1, "sigwaitinfo");
  if (which == 2) {
    sigset_t unmasked;
    sigemptyset(&unmasked);
    sigaddset(&unmasked, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &unmasked, NULL);
    CHECK(pause() == -1 && errno == EINTR, "pause");
    CHECK(stop == 1, "pause ended by itself");
  }
  if (which == 3) {
    CHECK(sigsuspend(&rest) == -1 && errno == EINTR, "sigsuspend");
    CHECK(stop == 1, "sigsuspend ended by itself");
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR2) && !sigismember(&now, SIGHUP), "the mask after sigsuspend");
  }
  if (which == 4) {
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    while (!stop) {
      struct timespec nap = {0, 150000000};
      int result = sigtimedwait(&set, &info, &nap);
      int error = errno;
      CHECK(result == -1 && error == EAGAIN, "sigtimedwait gave %d: %s", result, strerror(error));
      timeouts++;
    }
  }
  done[which] = 1;
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR2, &action, NULL);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN + 1);
  sigaddset(&blocked, SIGRTMIN + 2);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  pthread_t threads[5];
  int order[] = {2, 3, 0, 1, 4};
  for (int i = 0; i < 5; i++) pthread_create(&threads[order[i]], NULL, body, (void *)(intptr_t)order[i]);
  WAIT_UNTIL(started == 5, "not all threads started");
  probe_sleep_ms(30);
  probe_hold();
  for (int i = 0; i < 5; i++) CHECK(!done[i], "wait %d ended by itself", i);
  CHECK(handled == 0, "a handler ran");
  long so_far = timeouts;
  WAIT_UNTIL(timeouts > so_far, "the time-outs do not come");
  stop = 1;
  pthread_kill(threads[0], SIGRTMIN + 1);
  pthread_kill(threads[1], SIGRTMIN + 1);
  pthread_kill(threads[2], SIGUSR2);
  pthread_kill(threads[3], SIGUSR2);
  for (int i = 0; i < 5; i++) pthread_join(threads[i], NULL);
  CHECK(handled == 2, "the handler ran %d times", handled);
  return probe_ok();
}
