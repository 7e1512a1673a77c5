// Handlers, their masks and flags are kept: what sigaction reports, and what happens when the signals come.
// sabotage: call rt_sigaction 10 @default 0 8
// bits: 64, 32
#include "../probe.h"

static volatile int plain, restarted, reset, nested, depth, deepest, masked_at;
static void on_plain(int number) { plain += number == SIGUSR1; }
static void on_info(int number, siginfo_t *info, void *context) {
  (void)context;
  restarted += number == SIGUSR2 && info->si_signo == SIGUSR2 && info->si_pid == getpid();
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  masked_at = sigismember(&now, SIGHUP) && sigismember(&now, SIGUSR2) && !sigismember(&now, SIGWINCH);
}
static void on_reset(int number) { reset += number == SIGTERM; }
static void on_nested(int number) {
  if (++depth > deepest) deepest = depth;
  if (nested++ < 2) raise(number);
  depth--;
}

static void expect(int number, void (*handler)(int), unsigned flags) {
  struct sigaction action;
  CHECK(sigaction(number, NULL, &action) == 0, "sigaction(%d)", number);
  CHECK(action.sa_handler == handler, "handler of signal %d is %p", number, (void *)(uintptr_t)action.sa_handler);
  unsigned known = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_RESETHAND | SA_ONSTACK | SA_NOCLDSTOP;
  CHECK(((unsigned)action.sa_flags & known) == (unsigned)flags, "flags of signal %d are %x", number, (unsigned)action.sa_flags);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  // As the kernel takes it: handler, flags, restorer, mask.
  static uint64_t kernel_default[4];
  probe_note("default", (uint64_t)(uintptr_t)kernel_default);
  struct sigaction action = {.sa_handler = on_plain};
  sigaction(SIGUSR1, &action, NULL);
  action = (struct sigaction){.sa_sigaction = on_info, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaddset(&action.sa_mask, SIGHUP);
  sigaction(SIGUSR2, &action, NULL);
  action = (struct sigaction){.sa_handler = on_reset, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGTERM, &action, NULL);
  action = (struct sigaction){.sa_handler = on_nested, .sa_flags = SA_NODEFER};
  sigaction(SIGRTMIN + 3, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  probe_hold();
  expect(SIGUSR1, on_plain, 0);
  expect(SIGUSR2, (void (*)(int))(uintptr_t)on_info, SA_SIGINFO | SA_RESTART);
  expect(SIGTERM, on_reset, SA_RESETHAND);
  expect(SIGRTMIN + 3, on_nested, SA_NODEFER);
  expect(SIGPIPE, SIG_IGN, SA_RESTART);
  expect(SIGWINCH, SIG_DFL, 0);
  struct sigaction full;
  sigaction(SIGUSR2, NULL, &full);
  CHECK(sigismember(&full.sa_mask, SIGHUP) == 1 && sigismember(&full.sa_mask, SIGINT) == 0, "mask of the handler");
  raise(SIGHUP);
  raise(SIGPIPE);
  raise(SIGUSR1);
  raise(SIGUSR1);
  CHECK(plain == 2, "SIGUSR1 was handled %d times", plain);
  raise(SIGUSR2);
  CHECK(restarted == 1, "SIGUSR2's information is wrong");
  CHECK(masked_at, "mask while the handler runs");
  raise(SIGTERM);
  CHECK(reset == 1, "SIGTERM was handled %d times", reset);
  expect(SIGTERM, SIG_DFL, SA_RESETHAND);  // the kernel leaves the flags
  raise(SIGRTMIN + 3);
  CHECK(nested == 3 && deepest == 3, "nested handler ran %d times, %d deep", nested, deepest);
  return probe_ok();
}
