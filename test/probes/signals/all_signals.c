// The program may use every signal for itself: whatever Cairn takes for its own purposes does not show.
// sabotage: poke @expected
#include "../probe.h"

static volatile int count[NSIG];
static int expected = 1;
static void on_signal(int number) { count[number]++; }

static int own(int number) {
  return number == SIGKILL || number == SIGSTOP || (number >= 32 && number < SIGRTMIN);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  for (int i = 1; i < NSIG; i++)
    if (!own(i)) CHECK(sigaction(i, &action, NULL) == 0, "sigaction(%d)", i);
  probe_hold();
  for (int i = 1; i < NSIG; i++)
    if (!own(i)) CHECK(count[i] == 0 || i == SIGWINCH || i == SIGCONT, "signal %d came %d times by itself", i, count[i]);
  for (int i = 1; i < NSIG; i++) {
    if (own(i)) continue;
    struct sigaction now;
    CHECK(sigaction(i, NULL, &now) == 0 && now.sa_handler == on_signal, "handler of signal %d", i);
    count[i] = 0;
    CHECK(raise(i) == 0, "raise(%d)", i);
    CHECK(count[i] == expected, "signal %d was handled %d times", i, count[i]);
  }
  return probe_ok();
}
