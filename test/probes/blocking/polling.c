// poll, ppoll, select and pselect without descriptors: time-outs are kept, no EINTR, the mask of ppoll does not stay behind.
// sabotage: signal-thread 1 34
// bits: 64, 32
#include "../probe.h"
#include <poll.h>
#include <sys/select.h>

static volatile int stop;
static volatile long rounds;
static const int NAP = 150;

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}
static void *body(void *argument) {
  int which = (int)(intptr_t)argument;
  sigset_t during, before, after;
  sigfillset(&during);
  sigdelset(&during, SIGRTMIN);
  sigemptyset(&before);
  sigaddset(&before, SIGUSR1);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  while (!stop) {
    int64_t start = now_ms();
    struct timespec nap = {0, NAP * 1000000L};
    struct timeval old_nap = {0, NAP * 1000};
    int result = -2;
    errno = 0;
    if (which == 0) result = poll(NULL, 0, NAP);
    if (which == 1) result = ppoll(NULL, 0, &nap, &during);
    if (which == 2) result = select(0, NULL, NULL, NULL, &old_nap);
    if (which == 3) result = pselect(0, NULL, NULL, NULL, &nap, &during);
    int error = errno;
    CHECK(result == 0, "call %d gave %d: %s", which, result, strerror(error));
    CHECK(now_ms() - start >= NAP - 1, "call %d was too short: %d ms", which, (int)(now_ms() - start));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int i = 1; i < NSIG; i++) CHECK(sigismember(&before, i) == sigismember(&after, i), "call %d left signal %d in the mask changed", which, i);
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
  }
  return argument;
}
static void on_signal(int number) { (void)number; }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  signal(SIGRTMIN, on_signal);
  pthread_t threads[4];
  for (intptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  probe_sleep_ms(30);
  probe_hold();
  long so_far = rounds;
  WAIT_UNTIL(rounds > so_far + 4, "nobody wakes up");
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return probe_ok();
}
