// Alternate stacks that threads have set by the system call itself, unseen by any wrapper of sigaltstack (as the runtime of Go does):
// handlers run there after the checkpoint; what the threads were doing, a timed wait and a sum in the vector registers, goes on.
// sabotage: poke @expected
// bits: 64 only
#include "../probe.h"
#include <signal.h>
#include <syscall.h>

enum { threads = 3, size = 65536 };
static char stacks[threads][size];
static volatile int on_stack[threads], number_of[threads], begun, stop, expected = threads;
static __thread int mine;
static long slept_ms;

static void handler(int signal) {
  char here;
  on_stack[mine] = &here >= stacks[mine] && &here < stacks[mine] + size;
  number_of[mine] += signal == SIGUSR1;
}

static void take_stack(int index) {
  stack_t stack = {.ss_sp = stacks[index], .ss_size = size};
  mine = index;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_sigaltstack), "D"(&stack), "S"(0) : "rcx", "r11", "memory");
  CHECK(result == 0, "sigaltstack gave %ld", result);
  __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
}

static void *adds(void *argument) {
  take_stack(1);
  for (double sum = 0, last = 0; !stop;) {
    for (int i = 1; i <= 1000; i++) sum += 1.0 / i;
    if (last == 0) last = sum;
    CHECK(sum == last, "a sum in vector registers has changed");
    sum = 0;
  }
  return argument;
}

static void *sleeps(void *argument) {
  take_stack(2);
  while (!stop) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    struct timespec pause = {0, 20000000};
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_nanosleep), "D"(&pause), "S"(0) : "rcx", "r11", "memory");
    CHECK(result == 0 || number_of[2] > 0, "nanosleep gave %ld", result);
    clock_gettime(CLOCK_MONOTONIC, &to);
    slept_ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
    CHECK(slept_ms >= 20 || number_of[2] > 0, "slept for %ld ms", slept_ms);
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t one, two;
  take_stack(0);
  pthread_create(&one, NULL, adds, NULL);
  pthread_create(&two, NULL, sleeps, NULL);
  WAIT_UNTIL(begun == threads, "threads have not begun");
  probe_hold();
  pthread_kill(pthread_self(), SIGUSR1);
  pthread_kill(one, SIGUSR1);
  pthread_kill(two, SIGUSR1);
  int handled = 0;
  for (int i = 0; i < threads; i++) {
    WAIT_UNTIL(number_of[i] == 1, "thread %d has handled %d signals", i, number_of[i]);
    handled += on_stack[i];
  }
  CHECK(handled == expected, "%d of %d handlers ran on the alternate stack", handled, expected);
  stop = 1;
  pthread_join(one, NULL);
  pthread_join(two, NULL);
  return probe_ok();
}
