// A program of one thread waits in pause(); it ends by the signal that the terminal or a script sends to Cairn's command.
// other user: not to be asked, from outside of its namespace, whether it runs
// signal: SIGUSR1
// sabotage: poke @cell
#include "../probe.h"

static volatile int handled;
static uint64_t cell = 55;
static void on_signal(int number) { handled = number; }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  alarm(300);
  probe_ready();
  CHECK(pause() == -1 && errno == EINTR, "pause");
  CHECK(handled == SIGUSR1, "pause ended without SIGUSR1");
  CHECK(cell == 55, "a static value");
  unsigned left = alarm(0);
  CHECK(left > 0 && left <= 300, "the alarm has %u s left", left);
  return probe_ok();
}
