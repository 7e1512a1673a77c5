// Spin locks, one held by the main thread and one process-shared: others spin for them over the checkpoint. A protected mutex
// (PTHREAD_PRIO_PROTECT) where the system lets the program have one. Threads pinned to one processor stay there.
// sabotage: poke @lock
#include "../probe.h"

static pthread_spinlock_t lock, shared;
static volatile int got[2];
static volatile int running;
static void *spin(void *which) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof one, &one);
  running++;
  pthread_spin_lock(which ? &shared : &lock);
  got[which != NULL] = 1;
  pthread_spin_unlock(which ? &shared : &lock);
  cpu_set_t now;
  CHECK(sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&one, &now), "the thread may run elsewhere");
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
  pthread_spin_init(&shared, PTHREAD_PROCESS_SHARED);
  probe_note("lock", (uint64_t)(uintptr_t)&got[0]);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t protecting;
  pthread_mutex_init(&protecting, &attributes);
  int is_protected = pthread_mutex_lock(&protecting) == 0;
  pthread_spin_lock(&lock);
  pthread_spin_lock(&shared);
  pthread_t threads[2];
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, spin, (void *)i);
  probe_hold();
  CHECK(!got[0] && !got[1], "a lock was free");
  CHECK(pthread_spin_trylock(&lock) == EBUSY, "trylock");
  pthread_spin_unlock(&lock);
  pthread_spin_unlock(&shared);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  CHECK(got[0] && got[1], "a lock was not taken");
  if (is_protected) {
    CHECK(pthread_mutex_lock(&protecting) == EDEADLK, "a second lock of the protected mutex");
    CHECK(pthread_mutex_unlock(&protecting) == 0, "unlock of the protected mutex");
  }
  return probe_ok();
}
