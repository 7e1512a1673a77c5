// A thread's own segment, made by set_thread_area beside libc's, is used through fs; each thread has another base in the same entry.
// bits: 32 only
#include "../probe.h"
#include <asm/ldt.h>

static uint32_t blocks[2][4] = {{1, 2, 0x5eed5eed, 4}, {5, 6, 0xfeedfeed, 8}};
static int entry = -1;

static uint32_t through_fs(void) {
  uint32_t value;
  __asm__ volatile("mov %%fs:8, %0" : "=r"(value));
  return value;
}
static void make(int which) {
  struct user_desc segment = {.entry_number = (unsigned)entry, .base_addr = (unsigned)(uintptr_t)blocks[which], .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1};
  CHECK(syscall(SYS_set_thread_area, &segment) == 0, "set_thread_area");
  entry = (int)segment.entry_number;
  __asm__ volatile("mov %0, %%fs" : : "r"(entry * 8 + 3));
  CHECK(through_fs() == blocks[which][2], "fs does not work here");
}
static volatile int made, stop;
static void *body(void *argument) {
  make(1);
  made = 1;
  while (!stop) {
    CHECK(through_fs() == blocks[1][2], "a thread's memory through fs is wrong");
    probe_sleep_ms(1);
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  make(0);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, NULL) == 0, "pthread_create");
  WAIT_UNTIL(made, "the thread did not start");
  probe_hold();
  CHECK(through_fs() == blocks[0][2], "memory through fs is wrong");
  struct user_desc segment = {.entry_number = (unsigned)entry};
  CHECK(syscall(SYS_get_thread_area, &segment) == 0 && segment.base_addr == (unsigned)(uintptr_t)blocks[0], "the base is %x", segment.base_addr);
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
