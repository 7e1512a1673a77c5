// `process_victim`: things for faults to be in: a table, a static variable, memory of the heap, a thread "worker" that keeps values in registers, calls of
// a library. Says all of it as lines whenever it is another, until the file `end` is there. `process_victim wait`: waits in a system call of its own,
// and says what that gave.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int bumps(void);
void bump(void);
long same(long value);

uint32_t table[4] = {10, 20, 30, 40};
static volatile uint32_t hidden = 7;
uint32_t *volatile in_heap;
volatile uint64_t in_rbx, in_xmm, stop_worker;

static void *worker(void *none) {
  (void)none;
  prctl(PR_SET_NAME, "worker");
  __asm__ volatile(
      "mov $0x1000, %%ebx\n\t"
      "movq %%rbx, %%xmm5\n"
      "1:\n\t"
      "mov %%rbx, in_rbx(%%rip)\n\t"
      "movq %%xmm5, in_xmm(%%rip)\n\t"
      "pause\n\t"
      "cmpq $0, stop_worker(%%rip)\n\t"
      "je 1b"
      :
      :
      : "rbx", "xmm5", "memory", "cc");
  return NULL;
}

static long wait_for_ever(void) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_pause) : "rcx", "r11", "memory");
  return result;
}

int main(int argc, char **argv) {
  (void)argv;
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1) {
    puts("ready");
    printf("pause gave %ld\n", wait_for_ever());
    return 0;
  }
  pthread_t thread;
  in_heap = malloc(64);
  *in_heap = 77;
  pthread_create(&thread, NULL, worker, NULL);
  while (in_rbx == 0) usleep(1000);
  char before[200] = "";
  puts("ready");
  for (int calls = 0; access("end", F_OK) != 0; ++calls) {
    char line[200];
    bump();
    snprintf(line, sizeof line, "table %u,%u,%u,%u hidden %u heap %u rbx %lx xmm %lx missed %d same %lx", table[0], table[1], table[2], table[3],
             hidden, *in_heap, (unsigned long)in_rbx, (unsigned long)in_xmm, calls + 1 - bumps(), same(0x20));
    if (strcmp(line, before) != 0) puts(strcpy(before, line));
    usleep(2000);
  }
  stop_worker = 1;
  pthread_join(thread, NULL);
  return 0;
}
