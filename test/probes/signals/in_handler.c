// The checkpoint comes while a thread is inside a handler on its alternate stack, interrupted in a call; the handler
// returns through the frame that the kernel made before.
// sabotage: poke @pattern
#include "../probe.h"

static volatile int stop, inside, returned;
static uint64_t pattern[64];

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  uint64_t on_stack[64];
  probe_fill(on_stack, sizeof on_stack, 9);
  inside = 1;
  while (!stop) {
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
  }
  CHECK(probe_compare(on_stack, sizeof on_stack, 9) == -1, "the alternate stack's content");
  CHECK(info->si_signo == SIGUSR1, "siginfo changed");
  stack_t stack;
  CHECK(sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_ONSTACK), "the handler is not on the alternate stack");
}
static void *body(void *argument) {
  size_t bytes = 65536;
  stack_t stack = {.ss_sp = malloc(bytes), .ss_size = bytes};
  CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack");
  volatile double live = 1.0 / 3;
  pthread_kill(pthread_self(), SIGUSR1);
  CHECK(live == 1.0 / 3, "a floating-point value");
  stack_t now;
  CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0 && now.ss_sp == stack.ss_sp, "alternate stack after the handler");
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGALRM), "mask after the handler");
  returned = 1;
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_fill(pattern, sizeof pattern, 4);
  probe_note("pattern", (uint64_t)(uintptr_t)&pattern[20]);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_ONSTACK | SA_SIGINFO};
  sigaddset(&action.sa_mask, SIGALRM);
  sigaction(SIGUSR1, &action, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(inside, "the handler did not start");
  probe_hold();
  CHECK(probe_compare(pattern, sizeof pattern, 4) == -1, "a static pattern");
  stop = 1;
  pthread_join(thread, NULL);
  CHECK(returned, "the handler did not return");
  return probe_ok();
}
