// Thousands of threads that wait. When the file given is there, each adds its number, and the sum is printed.
// thousands FILE THREADS
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begin = PTHREAD_COND_INITIALIZER;
static int begun, waiting;
static long sum;

static void *body(void *argument) {
  long number = (long)argument;
  pthread_mutex_lock(&mutex);
  waiting++;
  while (!begun) pthread_cond_wait(&begin, &mutex);
  sum += number;
  pthread_mutex_unlock(&mutex);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  long count = atol(argv[2]);
  pthread_t *threads = calloc((size_t)count, sizeof *threads);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  for (long i = 0; i < count; i++)
    if (pthread_create(&threads[i], &small, body, (void *)(i + 1)) != 0) return 3;
  while (__atomic_load_n(&waiting, __ATOMIC_RELAXED) < count) usleep(1000);
  printf("running\n");
  fflush(stdout);
  struct stat status;
  while (stat(argv[1], &status) != 0) usleep(5000);
  pthread_mutex_lock(&mutex);
  begun = 1;
  pthread_cond_broadcast(&begin);
  pthread_mutex_unlock(&mutex);
  for (long i = 0; i < count; i++) pthread_join(threads[i], NULL);
  printf("sum %ld\n", sum);
  return 0;
}
