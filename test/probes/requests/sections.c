// Critical sections, nested, of several threads that are in one most of the time, and left by another thread than entered them: no
// checkpoint falls into one, since the kernel's id of the process stays the same from its beginning to its end. Some wait for each other.
// sabotage: poke @broken
// attached: not known: critical sections that began before
#include "../probe.h"
#include <cairn/cairn.h>

enum { THREADS = 3 };
static volatile int broken[2], ends, begun;
static volatile long rounds[THREADS + 1];

static long kernel_pid(void) {
  long result;
#ifdef __x86_64__
  __asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_getpid) : "rcx", "r11", "memory");
#else
  __asm__ volatile("int $0x80" : "=a"(result) : "a"((long)SYS_getpid) : "memory");
#endif
  return result;
}

static void *body(void *argument) {
  long self = (long)argument;
  __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
  while (!ends) {
    cairn_forbid_checkpoint("a transaction");
    long pid = kernel_pid();
    probe_sleep_ms(1);
    cairn_forbid_checkpoint("in a transaction");
    probe_sleep_ms(1);
    cairn_allow_checkpoint();
    if (kernel_pid() != pid) broken[0] = 1;
    cairn_allow_checkpoint();
    rounds[self]++;
  }
  return NULL;
}

// One hands the section over to the other.
static volatile int handed;
static volatile long handed_pid;
static void *giver(void *argument) {
  while (!ends) {
    cairn_forbid_checkpoint("handed over");
    handed_pid = kernel_pid();
    handed = 1;
    while (handed) probe_sleep_ms(1);
  }
  return argument;
}
static void *taker(void *argument) {
  for (;;) {
    while (!handed && !ends) probe_sleep_ms(1);
    if (!handed) return argument;
    if (kernel_pid() != handed_pid) broken[0] = 1;
    cairn_allow_checkpoint();
    rounds[THREADS]++;
    handed = 0;
  }
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t threads[THREADS + 2];
  for (long i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, body, (void *)i) == 0, "pthread_create");
  CHECK(pthread_create(&threads[THREADS], NULL, giver, NULL) == 0 && pthread_create(&threads[THREADS + 1], NULL, taker, NULL) == 0, "pthread_create");
  WAIT_UNTIL(begun == THREADS && rounds[THREADS] > 0, "the threads do not begin");
  probe_note("broken", (uint64_t)(uintptr_t)&broken[1]);
  probe_hold();
  CHECK(broken[0] == 0 && broken[1] == 0, "a checkpoint fell into a critical section");
  for (int i = 0; i <= THREADS; i++) {
    long before = rounds[i];
    WAIT_UNTIL(rounds[i] > before + 2, "thread %d does not go on", i);
  }
  ends = 1;
  for (int i = 0; i < THREADS + 2; i++) pthread_join(threads[i], NULL);
  CHECK(broken[0] == 0 && broken[1] == 0, "a checkpoint fell into a critical section");
  return probe_ok();
}
