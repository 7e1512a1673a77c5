// Memory that only looks like a mutex with the kernel's ids in it stays as it is: what stands on a waiting thread's stack beside the
// address of its condition, and what lies behind the words of a robust list of the program's own. Threads wait on one condition with
// an ordinary mutex; each has beside the condition's address that of other memory, in the place of a mutex's kind robust and inheriting.
// bits: 64, 32
// sabotage: poke @memory
#include "../probe.h"
#include <linux/futex.h>

enum { sleepers = 3, words = 16, look_alike = 0x3183ed70 };
struct beside {
  pthread_cond_t *condition;
  uint32_t *memory;
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile int waiting, listed, go, woken;
static uint32_t other[sleepers][words];

// Its words are ids to whoever takes it for a mutex.
static void fill(uint32_t *memory, uint32_t id) {
  for (int i = 0; i < words; i++) memory[i] = i == 0 || i == 2 ? id : look_alike;
}
static void compare(const uint32_t *memory, int from, uint32_t id) {
  for (int i = from; i < words; i++) {
    uint32_t expected = i == 0 || i == 2 ? id : look_alike;
    CHECK(memory[i] == expected, "word %d was %#x and is %#x", i, expected, memory[i]);
  }
}

__attribute__((noinline)) static void wait_beside(struct beside *volatile beside) {
  while (!go) CHECK(pthread_cond_wait(beside->condition, &mutex) == 0, "pthread_cond_wait");
}
static void *sleeper(void *argument) {
  struct beside pairs[8];
  for (int i = 0; i < 8; i++) pairs[i] = (struct beside){&condition, argument};
  pthread_mutex_lock(&mutex);
  waiting++;
  wait_beside(pairs);
  woken++;
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static struct {
  struct robust_list entry;
  uint32_t word[words];
} held;
static void *lister(void *argument) {
  static struct robust_list_head list;
  list.list.next = &held.entry;
  held.entry.next = &list.list;
  list.futex_offset = sizeof held.entry;
  fill(held.word, (uint32_t)syscall(SYS_gettid));
  CHECK(syscall(SYS_set_robust_list, &list, sizeof list) == 0, "set_robust_list");
  listed = 1;
  while (!go) probe_sleep_ms(2);
  // The first is the kernel's, as long as the list has it.
  list.list.next = &list.list;
  compare(held.word, 1, (uint32_t)syscall(SYS_gettid));
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("memory", (uint64_t)(uintptr_t)&other[1][5]);
  pthread_t threads[sleepers + 1];
  for (int i = 0; i < sleepers; i++) {
    fill(other[i], (uint32_t)getpid());
    pthread_create(&threads[i], NULL, sleeper, other[i]);
  }
  pthread_create(&threads[sleepers], NULL, lister, NULL);
  WAIT_UNTIL(waiting == sleepers && listed, "not all threads wait: %d", waiting);
  probe_sleep_ms(20);
  probe_hold();
  for (int i = 0; i < sleepers; i++) compare(other[i], 0, (uint32_t)getpid());
  pthread_mutex_lock(&mutex);
  go = 1;
  pthread_mutex_unlock(&mutex);
  pthread_cond_broadcast(&condition);
  for (int i = 0; i <= sleepers; i++) pthread_join(threads[i], NULL);
  CHECK(woken == sleepers, "%d waiters woke", woken);
  return probe_ok();
}
