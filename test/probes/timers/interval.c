// setitimer of all three kinds goes on ticking with its interval; alarm keeps what is left.
// churn: SigPnd ShdPnd
// sabotage: call setitimer 0 @off 0
#include "../probe.h"
#include <sys/time.h>

static volatile int ticks, virtual_ticks, profile_ticks;
static void on_alarm(int number) { (void)number, ticks++; }
static void on_virtual(int number) { (void)number, virtual_ticks++; }
static void on_profile(int number) { (void)number, profile_ticks++; }
static volatile long work;
#define BUSY_UNTIL(condition, what)                                    \
  do {                                                                 \
    int rounds = 0;                                                    \
    while (!(condition) && rounds++ < 20000)                           \
      for (volatile int i = 0; i < 100000; i++) work += i;             \
    CHECK(condition, what);                                            \
  } while (0)

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static struct itimerval off;
  probe_note("off", (uint64_t)(uintptr_t)&off);
  struct sigaction action = {.sa_flags = SA_RESTART};
  action.sa_handler = on_alarm, sigaction(SIGALRM, &action, NULL);
  action.sa_handler = on_virtual, sigaction(SIGVTALRM, &action, NULL);
  action.sa_handler = on_profile, sigaction(SIGPROF, &action, NULL);
  struct itimerval every = {{0, 25000}, {0, 25000}}, now;
  CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0 && setitimer(ITIMER_VIRTUAL, &every, NULL) == 0 && setitimer(ITIMER_PROF, &every, NULL) == 0, "setitimer");
  WAIT_UNTIL(ticks > 2, "the timer does not tick");
  probe_hold();
  int so_far = ticks;
  for (int i = 0; i < 400 && ticks <= so_far + 3; i++) probe_sleep_ms(5);
  WAIT_UNTIL(ticks > so_far + 3, "the timer stopped");
  CHECK(getitimer(ITIMER_REAL, &now) == 0 && now.it_interval.tv_usec == 25000, "interval is %ld us", (long)now.it_interval.tv_usec);
  CHECK(getitimer(ITIMER_PROF, &now) == 0 && now.it_interval.tv_usec >= 24000 && now.it_interval.tv_usec <= 28000, "profiling interval is %ld us", (long)now.it_interval.tv_usec);
  so_far = virtual_ticks;
  BUSY_UNTIL(virtual_ticks > so_far + 1, "the virtual timer stopped");
  so_far = profile_ticks;
  BUSY_UNTIL(profile_ticks > so_far + 1, "the profiling timer stopped");
  return probe_ok();
}
