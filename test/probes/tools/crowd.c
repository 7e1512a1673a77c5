// A crowd of threads on one processor, most of them busy, and one that the scheduler puts behind all others: after a restart it
// is the last to go on. It notes what it counts; the main thread ends all of them when the file given is there.
// crowd FILE THREADS
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile int stop;
static volatile int humble;

static void *busy(void *unused) {
  while (!stop) {
  }
  return unused;
}

static void *last(void *unused) {
  struct sched_param none = {0};
  if (sched_setscheduler(0, SCHED_IDLE, &none) != 0) exit(3);
  humble = 1;
  unsigned long rounds = 0;
  while (!stop) rounds++;
  return rounds > 0 ? (void *)1 : unused;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int count = atoi(argv[2]);
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 3;
  int first = 0;
  while (!CPU_ISSET(first, &set)) first++;
  CPU_ZERO(&set);
  CPU_SET(first, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) return 3;
  pthread_t humblest, *crowd = calloc((size_t)count, sizeof *crowd);
  if (pthread_create(&humblest, NULL, last, NULL) != 0) return 3;
  while (!humble) usleep(1000);
  for (int i = 0; i < count; i++)
    if (pthread_create(&crowd[i], NULL, busy, NULL) != 0) return 3;
  printf("running\n");
  fflush(stdout);
  struct stat status;
  while (stat(argv[1], &status) != 0) usleep(5000);
  stop = 1;
  for (int i = 0; i < count; i++) pthread_join(crowd[i], NULL);
  void *result = NULL;
  pthread_join(humblest, &result);
  printf("end %d\n", result != NULL);
  return 0;
}
