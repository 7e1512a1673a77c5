// Every general register of a 32-bit program and the carry flag hold live values in a loop that makes no call, while the checkpoint comes.
// bits: 32 only
#include "../probe.h"

static volatile int stop, started;
static uint32_t before[7], after[8];  // the last: the carry flag

static void *spin(void *argument) {
  for (uint32_t i = 0; i < 7; i++) before[i] = 0x11111111u * i + 0x89abcdefu;
  started = 1;
  __asm__ volatile(
      "pushal\n\t mov %[before], %%esi\n\t mov %[stop], %%edi\n\t push %[after]\n\t"
      "mov 24(%%esi), %%ebp\n\t mov 20(%%esi), %%edx\n\t mov 16(%%esi), %%ecx\n\t mov 12(%%esi), %%ebx\n\t mov 8(%%esi), %%eax\n\t"
      "mov 4(%%esi), %%esi\n\t stc\n\t"
      "1: pause\n\t push %%ecx\n\t mov (%%edi), %%ecx\n\t jecxz 2f\n\t pop %%ecx\n\t jmp 3f\n\t"
      "2: pop %%ecx\n\t jmp 1b\n\t"
      "3: pop %%edi\n\t mov %%esi, 4(%%edi)\n\t mov %%eax, 8(%%edi)\n\t mov %%ebx, 12(%%edi)\n\t mov %%ecx, 16(%%edi)\n\t"
      "mov %%edx, 20(%%edi)\n\t mov %%ebp, 24(%%edi)\n\t setc 28(%%edi)\n\t popal\n\t"
      :
      : [before] "a"(before), [after] "c"(after), [stop] "d"(&stop)
      : "memory", "cc");
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, spin, NULL) == 0, "pthread_create");
  WAIT_UNTIL(started, "the spinning thread did not start");
  probe_sleep_ms(10);
  probe_hold();
  stop = 1;
  pthread_join(thread, NULL);
  CHECK((after[7] & 0xff) == 1, "the carry flag was lost");
  for (int i = 1; i < 7; i++) CHECK(after[i] == before[i], "register %d is %x, was %x", i, after[i], before[i]);
  return probe_ok();
}
