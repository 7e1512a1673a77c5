// Priority-inheriting futexes by syscall(2), without a mutex of libc's around them, held over a checkpoint: taken by the kernel, taken by
// an exchange in the program, handed over by the kernel to one who had waited, and with others that wait for them at the checkpoint.
// Then the same with threads of today, and between processes.
// (The kernel compares the word in memory with the id that the thread has for it.)
// sabotage: poke @word
// bits: 64, 32
#include "../probe.h"
#include <linux/futex.h>
#include <sys/wait.h>

enum { holders = 3 };
// In memory that processes share.
struct words {
  uint32_t own, exchanged, awaited, handed, timed, left, requeue, target, between;
};
static struct words *words;
static volatile int waiting, got, stop, handed, requeued;

static long futex(uint32_t *word, int operation, const struct timespec *until) { return syscall(SYS_futex, word, operation, 0, until, NULL, 0); }
static long take(uint32_t *word) { return futex(word, FUTEX_LOCK_PI, NULL); }
static long give(uint32_t *word) { return futex(word, FUTEX_UNLOCK_PI, NULL); }
static uint32_t self(void) { return (uint32_t)syscall(SYS_gettid); }
// As such locks are written: the kernel is asked only when somebody waits.
static long take_fast(uint32_t *word) {
  uint32_t nobody = 0;
  return __atomic_compare_exchange_n(word, &nobody, self(), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 0 : take(word);
}
static long give_fast(uint32_t *word) {
  uint32_t mine = self();
  return __atomic_compare_exchange_n(word, &mine, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 0 : give(word);
}
static long take_soon(uint32_t *word, int milliseconds) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec += milliseconds % 1000 * 1000000L;
  time.tv_sec += milliseconds / 1000 + time.tv_nsec / 1000000000L;
  time.tv_nsec %= 1000000000L;
  return futex(word, FUTEX_LOCK_PI, &time);
}
static uint32_t seen(uint32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

static void *waiter(void *word) {
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK(take_fast((uint32_t *)word) == 0, "a waiter's lock");
  __atomic_fetch_add(&got, 1, __ATOMIC_SEQ_CST);
  CHECK(give_fast((uint32_t *)word) == 0, "a waiter's unlock");
  return NULL;
}
static void *receiver(void *argument) {
  CHECK(take(&words->handed) == 0, "the lock that is handed over");
  handed = 1;
  while (!stop) probe_sleep_ms(2);
  CHECK(give(&words->handed) == 0, "unlock of what was handed over");
  CHECK(give_fast(&words->left) == 0, "unlock by another thread");
  return argument;
}
static void *keeper(void *argument) {
  CHECK(take_fast(&words->left) == 0, "lock by another thread");
  return receiver(argument);
}
static void *sleeper(void *argument) {
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK(syscall(SYS_futex, &words->requeue, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &words->target, 0) == 0, "the wait that is requeued");
  __atomic_fetch_add(&requeued, 1, __ATOMIC_SEQ_CST);
  CHECK(give_fast(&words->target) == 0, "unlock of what was requeued to");
  return argument;
}

static long counter;
static void *count(void *word) {
  for (int i = 0; i < 2000; i++) {
    CHECK(take_fast((uint32_t *)word) == 0, "lock in the loop");
    counter++;
    if (i % 16 == 0) sched_yield();
    CHECK(give_fast((uint32_t *)word) == 0, "unlock in the loop");
  }
  return NULL;
}

static void check_free(uint32_t *word) {
  CHECK(take_soon(word, 5000) == 0, "a word that should be free: %x", seen(word));
  CHECK(give(word) == 0, "unlock of a word that was free");
  CHECK(give(word) == -1 && errno == EPERM, "a second unlock");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  words = (struct words *)mmap(NULL, sizeof *words, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_t waiters[3], other, asleep[2];
  CHECK(take(&words->own) == 0 && take_fast(&words->exchanged) == 0 && take(&words->awaited) == 0, "the first locks");
  CHECK(take_fast(&words->timed) == 0 && take(&words->handed) == 0 && take_fast(&words->between) == 0, "the second locks");
  for (int i = 0; i < 2; i++) pthread_create(&waiters[i], NULL, waiter, &words->awaited);
  pthread_create(&waiters[2], NULL, waiter, &words->timed);
  pthread_create(&other, NULL, keeper, NULL);
  words->requeue = 1;
  for (int i = 0; i < 2; i++) pthread_create(&asleep[i], NULL, sleeper, NULL);
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    int wrong = take_fast(&words->between) != 0 || give_fast(&words->between) != 0;
    while (!probe_poll()) probe_sleep_ms(5);
    _exit(wrong);
  }
  for (uint32_t *const *word = (uint32_t *const[]){&words->awaited, &words->timed, &words->handed, &words->between, NULL}; *word; word++)
    WAIT_UNTIL(seen(*word) & FUTEX_WAITERS, "nobody waits for word %ld", (long)(*word - &words->own));
  WAIT_UNTIL(waiting == 5, "%d wait", waiting);
  CHECK(give(&words->handed) == 0, "handing over");
  WAIT_UNTIL(handed, "it was not handed over");
  probe_note("word", (uint64_t)(uintptr_t)&words->own);
  probe_hold();

  CHECK(got == 0 && requeued == 0, "%d and %d got what was held", got, requeued);
  CHECK(take_soon(&words->left, 20) == -1 && errno == ETIMEDOUT, "what another thread holds: %s", strerror(errno));
  CHECK(take_soon(&words->handed, 20) == -1 && errno == ETIMEDOUT, "what was handed over: %s", strerror(errno));
  CHECK(take_soon(&words->own, 20) == -1 && errno == EDEADLK, "what the thread itself holds: %s", strerror(errno));
  CHECK(futex(&words->left, FUTEX_TRYLOCK_PI, NULL) == -1, "a try of what another thread holds");
  CHECK(give(&words->left) == -1 && errno == EPERM, "unlock of another thread's");
  CHECK(seen(&words->exchanged) == self(), "the word is %x, the thread %x", seen(&words->exchanged), self());
  CHECK(give(&words->own) == 0 && give_fast(&words->exchanged) == 0, "unlock of the thread's own");
  check_free(&words->own);
  check_free(&words->exchanged);
  CHECK(give(&words->awaited) == 0 && give_fast(&words->timed) == 0, "unlock of what others wait for");
  for (int i = 0; i < 3; i++) pthread_join(waiters[i], NULL);
  CHECK(got == 3, "%d of 3 got it", got);
  check_free(&words->awaited);
  check_free(&words->timed);
  stop = 1;
  pthread_join(other, NULL);
  check_free(&words->left);
  check_free(&words->handed);

  CHECK(take_fast(&words->target) == 0, "lock before requeuing");
  for (int moved = 0; moved < 2;) {
    long result = syscall(SYS_futex, &words->requeue, FUTEX_CMP_REQUEUE_PI, 1, 1, &words->target, 1);
    CHECK(result >= 0, "requeuing");
    moved += (int)result;
  }
  CHECK(requeued == 0, "%d did not wait for the second word", requeued);
  CHECK(give_fast(&words->target) == 0, "unlock after requeuing");
  for (int i = 0; i < 2; i++) pthread_join(asleep[i], NULL);
  check_free(&words->target);

  CHECK(give_fast(&words->between) == 0, "unlock of what another process waits for");
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the other process: %x", status);
  check_free(&words->between);

  pthread_t counting[holders];
  for (int i = 0; i < holders; i++) pthread_create(&counting[i], NULL, count, &words->own);
  count(&words->own);
  for (int i = 0; i < holders; i++) pthread_join(counting[i], NULL);
  CHECK(counter == (holders + 1) * 2000, "counted to %ld", counter);
  CHECK(take(&words->own) == 0 && seen(&words->own) == self(), "the word is %x, the thread %x", seen(&words->own), self());
  CHECK(give_fast(&words->own) == 0 && seen(&words->own) == 0, "the last unlock");
  return probe_ok();
}
