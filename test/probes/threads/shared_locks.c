// Process-shared mutexes (plain, recursive, error-checking, robust), a condition, a barrier, a rwlock, a semaphore: held by one process and
// waited for by another over the checkpoint.
// sabotage: poke @cell
#include "../probe.h"
#include <semaphore.h>
#include <sys/wait.h>

enum { PLAIN, RECURSIVE, CHECKING, ROBUST, MUTEXES };
struct shared {
  pthread_mutex_t mutex[MUTEXES], condition_mutex, doomed;
  pthread_cond_t condition;
  pthread_barrier_t barrier;
  pthread_rwlock_t lock;
  sem_t semaphore;
  volatile int got[MUTEXES], go, awake, passed, read, posted, waiting;
};
static struct shared *shared;
static uint64_t cell = 3;
static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_NORMAL};

#define BEGIN __atomic_fetch_add(&shared->waiting, 1, __ATOMIC_SEQ_CST)
static void *take(void *argument) {
  long which = (long)argument;
  BEGIN;
  CHECK(pthread_mutex_lock(&shared->mutex[which]) == 0, "lock of mutex %ld", which);
  shared->got[which] = 1;
  CHECK(pthread_mutex_unlock(&shared->mutex[which]) == 0, "unlock of mutex %ld", which);
  return NULL;
}
static void *sleep_on(void *argument) {
  pthread_mutex_lock(&shared->condition_mutex);
  BEGIN;
  while (!shared->go) pthread_cond_wait(&shared->condition, &shared->condition_mutex);
  shared->awake = 1;
  pthread_mutex_unlock(&shared->condition_mutex);
  return argument;
}
static void *meet(void *argument) {
  BEGIN;
  pthread_barrier_wait(&shared->barrier);
  shared->passed = 1;
  return argument;
}
static void *get_lock(void *argument) {
  BEGIN;
  CHECK(pthread_rwlock_rdlock(&shared->lock) == 0, "rdlock");
  shared->read = 1;
  pthread_rwlock_unlock(&shared->lock);
  return argument;
}
static void *get_semaphore(void *argument) {
  BEGIN;
  CHECK(sem_wait(&shared->semaphore) == 0, "sem_wait");
  shared->posted = 1;
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i <= MUTEXES; i++) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_settype(&attributes, i < MUTEXES ? types[i] : PTHREAD_MUTEX_NORMAL);
    if (i >= ROBUST) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(i < MUTEXES ? &shared->mutex[i] : &shared->doomed, &attributes);
    if (i == PLAIN) pthread_mutex_init(&shared->condition_mutex, &attributes);
  }
  pthread_condattr_t condition;
  pthread_condattr_init(&condition);
  pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&shared->condition, &condition);
  pthread_barrierattr_t barrier;
  pthread_barrierattr_init(&barrier);
  pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&shared->barrier, &barrier, 2);
  pthread_rwlockattr_t lock;
  pthread_rwlockattr_init(&lock);
  pthread_rwlockattr_setpshared(&lock, PTHREAD_PROCESS_SHARED);
  pthread_rwlock_init(&shared->lock, &lock);
  sem_init(&shared->semaphore, 1, 0);
  for (int i = 0; i < MUTEXES; i++) pthread_mutex_lock(&shared->mutex[i]);
  pthread_rwlock_wrlock(&shared->lock);
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    pthread_t threads[MUTEXES + 4];
    int count = 0;
    for (long i = 0; i < MUTEXES; i++) pthread_create(&threads[count++], NULL, take, (void *)i);
    void *(*bodies[])(void *) = {sleep_on, meet, get_lock, get_semaphore};
    for (int i = 0; i < 4; i++) pthread_create(&threads[count++], NULL, bodies[i], NULL);
    CHECK(pthread_mutex_lock(&shared->doomed) == 0, "lock of the mutex that is left behind");
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    _exit(7);  // with that mutex
  }
  WAIT_UNTIL(shared->waiting == MUTEXES + 4, "not all wait");
  probe_sleep_ms(30);
  probe_hold();
  CHECK(cell == 3, "a static value");
  CHECK(pthread_mutex_trylock(&shared->doomed) == EBUSY, "the child's mutex is free");
  for (int i = 0; i < MUTEXES; i++) {
    CHECK(!shared->got[i], "mutex %d was free", i);
    if (i == CHECKING) CHECK(pthread_mutex_lock(&shared->mutex[i]) == EDEADLK, "a second lock");
    CHECK(pthread_mutex_unlock(&shared->mutex[i]) == 0, "unlock of mutex %d", i);
    WAIT_UNTIL(shared->got[i], "the child does not get mutex %d", i);
  }
  CHECK(!shared->awake && !shared->passed && !shared->read && !shared->posted, "somebody did not wait");
  pthread_mutex_lock(&shared->condition_mutex);
  shared->go = 1;
  pthread_cond_signal(&shared->condition);
  pthread_mutex_unlock(&shared->condition_mutex);
  pthread_barrier_wait(&shared->barrier);
  CHECK(pthread_rwlock_unlock(&shared->lock) == 0, "rwlock");
  sem_post(&shared->semaphore);
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child ended with %x", status);
  CHECK(shared->awake && shared->passed && shared->read && shared->posted, "somebody was not woken");
  int result = pthread_mutex_lock(&shared->doomed);
  CHECK(result == EOWNERDEAD, "the mutex that was left behind: %s", strerror(result));
  return probe_ok();
}
