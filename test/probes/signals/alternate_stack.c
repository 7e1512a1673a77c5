// Threads keep their alternate signal stacks; a handler after the checkpoint runs there, a stack overflow too.
// sabotage: call sigaltstack @off 0
#include "../probe.h"
#include <setjmp.h>

static volatile int stop, started;
static char *volatile handler_frame;
static sigjmp_buf back;
static volatile int overflowed;

static void on_signal(int number) {
  char frame;
  (void)number;
  handler_frame = (char *)__builtin_frame_address(0);
  (void)frame;
}
static void on_overflow(int number, siginfo_t *info, void *context) {
  (void)number, (void)info, (void)context;
  overflowed++;
  siglongjmp(back, 1);
}
__attribute__((noinline)) static int overflow(volatile int depth) {
  volatile char frame[10000];
  frame[0] = (char)depth;
  return overflow(depth + 1) + frame[0];
}
static void install(void **memory, size_t bytes) {
  *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t stack = {.ss_sp = *memory, .ss_size = bytes};
  CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack");
}
static void expect(void *memory, size_t bytes, const char *who) {
  stack_t stack;
  CHECK(sigaltstack(NULL, &stack) == 0, "sigaltstack");
  CHECK(stack.ss_sp == memory && stack.ss_size == bytes && stack.ss_flags == 0, "%s: alternate stack %p, %zu bytes, flags %x", who, stack.ss_sp, stack.ss_size, (unsigned)stack.ss_flags);
  handler_frame = NULL;
  pthread_kill(pthread_self(), SIGUSR1);
  CHECK(handler_frame >= (char *)memory && handler_frame < (char *)memory + bytes, "%s: the handler ran on another stack", who);
}
static void *body(void *argument) {
  void *memory;
  install(&memory, 65536);
  started = 1;
  while (!stop) probe_sleep_ms(3);
  expect(memory, 65536, "thread");
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static stack_t off = {.ss_flags = SS_DISABLE};
  probe_note("off", (uint64_t)(uintptr_t)&off);
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  action = (struct sigaction){.sa_sigaction = on_overflow, .sa_flags = SA_ONSTACK | SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  void *memory;
  install(&memory, 131072);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(started, "the thread did not start");
  probe_hold();
  stop = 1;
  pthread_join(thread, NULL);
  expect(memory, 131072, "main");
  if (sigsetjmp(back, 1) == 0) overflow(1);
  CHECK(overflowed == 1, "the overflow of the stack was not handled");
  return probe_ok();
}
