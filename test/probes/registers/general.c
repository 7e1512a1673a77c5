// Every general register and the flags hold live values in a loop that makes no call, while the checkpoint comes.
// sabotage: register 1 r12
// bits: 64 only
#include "../probe.h"

static volatile int stop, started;
static uint64_t before[15], after[15];

// Loads 14 registers, raises the direction flag's neighbour (carry), spins on `stop`, stores them again.
static void *spin(void *argument) {
  for (int i = 0; i < 15; i++) before[i] = 0x1111111111111111ull * (uint64_t)i + 0xabcdef0123456789ull;
  started = 1;
  __asm__ volatile(
      "push %%rbp\n\t push %%rbx\n\t"
      "lea %[before], %%rax\n\t"
      "mov 8(%%rax), %%rbx\n\t mov 16(%%rax), %%rcx\n\t mov 24(%%rax), %%rdx\n\t mov 32(%%rax), %%rsi\n\t"
      "mov 40(%%rax), %%rdi\n\t mov 48(%%rax), %%rbp\n\t mov 56(%%rax), %%r8\n\t mov 64(%%rax), %%r9\n\t"
      "mov 72(%%rax), %%r10\n\t mov 80(%%rax), %%r11\n\t mov 88(%%rax), %%r12\n\t mov 96(%%rax), %%r13\n\t"
      "mov 104(%%rax), %%r14\n\t mov 112(%%rax), %%r15\n\t mov (%%rax), %%rax\n\t"
      "1: pause\n\t cmpl $0, %[stop]\n\t je 1b\n\t"
      "mov %%rax, %[after]\n\t"
      "lea %[after], %%rax\n\t"
      "mov %%rbx, 8(%%rax)\n\t mov %%rcx, 16(%%rax)\n\t mov %%rdx, 24(%%rax)\n\t mov %%rsi, 32(%%rax)\n\t"
      "mov %%rdi, 40(%%rax)\n\t mov %%rbp, 48(%%rax)\n\t mov %%r8, 56(%%rax)\n\t mov %%r9, 64(%%rax)\n\t"
      "mov %%r10, 72(%%rax)\n\t mov %%r11, 80(%%rax)\n\t mov %%r12, 88(%%rax)\n\t mov %%r13, 96(%%rax)\n\t"
      "mov %%r14, 104(%%rax)\n\t mov %%r15, 112(%%rax)\n\t"
      "pop %%rbx\n\t pop %%rbp\n\t"
      : [after] "=m"(after)
      : [before] "m"(before), [stop] "m"(stop)
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
  return argument;
}

// The carry flag is kept through a loop of instructions that do not write it.
static volatile int flag_stop, carry_lost;
static void *spin_flags(void *argument) {
  uint8_t carry;
  __asm__ volatile(
      "stc\n\t"
      "1: pause\n\t mov %[stop], %%ecx\n\t jrcxz 1b\n\t"
      "setc %[carry]\n\t"
      : [carry] "=q"(carry)
      : [stop] "m"(flag_stop)
      : "rcx", "cc", "memory");
  carry_lost = !carry;
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t threads[2];
  CHECK(pthread_create(&threads[0], NULL, spin, NULL) == 0, "pthread_create");
  CHECK(pthread_create(&threads[1], NULL, spin_flags, NULL) == 0, "pthread_create");
  WAIT_UNTIL(started, "the spinning thread did not start");
  probe_sleep_ms(10);
  probe_hold();
  stop = flag_stop = 1;
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  for (int i = 0; i < 15; i++)
    CHECK(after[i] == before[i], "register %d is %llx, was %llx", i, (unsigned long long)after[i], (unsigned long long)before[i]);
  CHECK(!carry_lost, "the carry flag was lost");
  return probe_ok();
}
