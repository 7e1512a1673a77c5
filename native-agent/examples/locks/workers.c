/*
 * Processes of several threads that share a bus, and know nothing of all this: workers LOCKS END PROCESSES THREADS
 *
 * Process K holds lock K+1 until the file END is there. Its neighbour waits for it meanwhile, and its other threads take turns on bus 0 with
 * everybody: two words that are equal whenever one has the bus. Bus 30 was taken by a thread that has ended; bus 31 is nobody's.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buslock.h"

static struct bus_locks *locks;
static struct words {
  volatile long first, second;
  int holding, waiting;
} *words;
static const char *end;
static unsigned process, processes;

static void rest(long milliseconds) {
  struct timespec pause = {0, milliseconds * 1000000};
  nanosleep(&pause, NULL);
}

static const char *text_of(int result) {
  return result == 0 ? "well" : result == -EOWNERDEAD ? "its owner had ended" : result == -EBUSY ? "busy" : result == -EPERM ? "not the caller's" : "wrong";
}

static void *hold(void *unused) {
  int taken = bus_take(locks, 1 + process);
  __atomic_fetch_add(&words->holding, 1, __ATOMIC_RELAXED);
  while (access(end, F_OK) != 0) rest(5);
  int released = bus_release(locks, 1 + process);
  printf("process %u took its lock: %s; released it: %s\n", process, text_of(taken), text_of(released));
  return unused;
}

static void *wait_for_neighbour(void *unused) {
  unsigned bus = 1 + (process + 1) % processes;
  while (words->holding < (int)processes) rest(1);
  __atomic_fetch_add(&words->waiting, 1, __ATOMIC_RELAXED);
  int taken = bus_take(locks, bus);
  printf("process %u got lock %u: %s; released it: %s\n", process, bus, text_of(taken), text_of(bus_release(locks, bus)));
  return unused;
}

static void *take_turns(void *turns) {
  while (access(end, F_OK) != 0) {
    int taken = bus_take(locks, 0);
    /* Who has ended may have done so between the two. */
    if (taken == -EOWNERDEAD) words->second = words->first;
    else if (taken != 0 || words->first != words->second) printf("process %u, a turn: %s, %ld %ld\n", process, text_of(taken), words->first, words->second);
    words->first++;
    rest(1);
    words->second++;
    ++*(long *)turns;
    int released = bus_release(locks, 0);
    if (released != 0) printf("process %u, end of a turn: %s\n", process, text_of(released));
    rest(1);
  }
  return NULL;
}

static void *take_and_end(void *unused) {
  return bus_take(locks, 30) == 0 ? unused : NULL;
}

static int work(unsigned threads) {
  pthread_t thread[16];
  long turns[16] = {0};
  for (unsigned i = 0; i < threads; ++i) {
    if (pthread_create(&thread[i], NULL, i == 0 ? hold : i == 1 ? wait_for_neighbour : take_turns, &turns[i]) != 0) return 1;
  }
  for (unsigned i = 0; i < threads; ++i) pthread_join(thread[i], NULL);
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc != 5 || (locks = bus_open(argv[1])) == NULL) return 2;
  end = argv[2];
  processes = (unsigned)atoi(argv[3]);
  unsigned threads = (unsigned)atoi(argv[4]);
  words = mmap(NULL, sizeof *words, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (words == MAP_FAILED || processes < 2 || processes > 16 || threads < 3 || threads > 16) return 2;
  pthread_t ends;
  if (pthread_create(&ends, NULL, take_and_end, NULL) != 0 || pthread_join(ends, NULL) != 0) return 2;
  for (; process < processes; ++process) {
    if (fork() == 0) return work(threads);
  }
  while (words->waiting < (int)processes || words->second < 20) rest(5);
  printf("ready\n");
  while (wait(NULL) > 0) {
  }
  printf("lock 30: %s\n", text_of(bus_try(locks, 30)));
  printf("lock 31: %s\n", text_of(bus_try(locks, 31)));
  return 0;
}
