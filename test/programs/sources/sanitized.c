/* Threads that allocate, copy and free, and processes, round after round, in a program that a sanitizer watches. It ends when it was checkpointed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { threads = 4, rounds = 60 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long sum;

static void *work(void *argument) {
  size_t size = 1000 + *(size_t *)argument;
  char *one = malloc(size), *other = malloc(size);
  memset(one, (int)size, size);
  memcpy(other, one, size);
  unsigned long own = 0;
  for (size_t i = 0; i < size; i++) own += (unsigned char)other[i];
  pthread_mutex_lock(&mutex);
  sum += own;
  pthread_mutex_unlock(&mutex);
  free(one), free(other);
  return NULL;
}

int main(void) {
  puts("begun"), fflush(stdout);
  for (size_t round = 0; round < rounds; round++) {
    pthread_t thread[threads];
    for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, work, &round);
    for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    int status = 0;
    if (round % 5 == 0) {
      pid_t child = fork();
      if (child == 0) _exit((int)round);
      if (waitpid(child, &status, 0) != child) puts("FAIL: waitpid");
    }
    printf("round %zu: %lu, %d, %d\n", round, sum, WEXITSTATUS(status), system("exit 3") >> 8), fflush(stdout);
    usleep(20000);
  }
  while (access("checkpointed", F_OK) != 0) usleep(2000);
  puts("end");
  return 0;
}
