// What waits in a queue comes before what others send when they go on: signals of eight processes, each with its own numbers.
// sabotage: poke @expected
#include "../probe.h"

enum { SENDERS = 8 };
static volatile int expected[SENDERS];

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid_t self = getpid();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 4);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
  for (int sender = 0; sender < SENDERS; sender++) {
    if (fork() != 0) continue;
    probe_end_with_parent();
    for (int number = 0;; number++) {
      while (sigqueue(self, SIGRTMIN + 4, (union sigval){.sival_int = number * SENDERS + sender}) != 0) {
        if (errno != EAGAIN) _exit(1);
        probe_sleep_ms(1);
      }
      probe_sleep_ms(2);
    }
  }
  probe_note("expected", (uint64_t)(uintptr_t)&expected[3]);
  // They are taken slowly: there are always some.
  probe_ready();
  for (int rest = 400; rest > 0;) {
    int over = probe_poll();
    for (int i = 0; i < 8; i++) {
      siginfo_t info;
      struct timespec time = {over ? 20 : 0, 0};
      int signal = sigtimedwait(&set, &info, &time);
      if (signal < 0 && !over) break;
      CHECK(signal > 0, "no signal comes any more");
      int sender = info.si_value.sival_int % SENDERS, number = info.si_value.sival_int / SENDERS;
      CHECK(number == expected[sender], "signal %d of sender %d came instead of %d", number, sender, expected[sender]);
      expected[sender]++;
      if (over) rest--;
    }
    if (!over) probe_sleep_ms(10);
  }
  return probe_ok();
}
