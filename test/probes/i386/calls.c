// Threads wait in system calls made by the vdso and by int $0x80, one with six arguments, and go on; the vdso's functions still work.
// bits: 32 only
#include "../probe.h"
#include <linux/futex.h>

static volatile uint32_t word;
static volatile int waiting, done;
static int ends[2];

static long direct(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  const long pair[2] = {number, f};
  __asm__ volatile("push %%ebp\n\t mov 4(%%eax), %%ebp\n\t mov (%%eax), %%eax\n\t int $0x80\n\t pop %%ebp"
                   : "=a"(result) : "a"(pair), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}
// FUTEX_WAIT_BITSET has six arguments; the last is the mask, without which no wake reaches it.
static void *by_interrupt(void *argument) {
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  while (word == 0) CHECK(direct(SYS_futex, (long)(uintptr_t)&word, FUTEX_WAIT_BITSET, 0, 0, 0, 2) != -EINVAL, "futex by int $0x80");
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  return argument;
}
static void *by_vdso(void *argument) {
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  while (word == 0) CHECK(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 2) == 0 || errno != EINVAL, "futex by the vdso");
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  return argument;
}
static void *by_read(void *argument) {
  char byte = 0;
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK(direct(SYS_read, ends[0], (long)(uintptr_t)&byte, 1, 0, 0, 0) == 1 && byte == 'x', "read by int $0x80");
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(pipe(ends) == 0, "pipe");
  pthread_t threads[3];
  void *(*const bodies[3])(void *) = {by_interrupt, by_vdso, by_read};
  for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, bodies[i], NULL) == 0, "pthread_create");
  WAIT_UNTIL(waiting == 3, "the threads did not start");
  probe_sleep_ms(20);
  probe_hold();
  CHECK(done == 0, "%d threads did not wait", done);
  word = 1;
  syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2);
  CHECK(write(ends[1], "x", 1) == 1, "write");
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  struct timespec vdso, kernel;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &vdso) == 0 && syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &kernel) == 0, "clock_gettime");
  CHECK(kernel.tv_sec - vdso.tv_sec >= 0 && kernel.tv_sec - vdso.tv_sec <= 1, "vdso and kernel differ");
  return probe_ok();
}
