// Threads that wait in several ways, compute and allocate, and notice any call that ends when it should not. Says "steady", then for
// each line of its input "sum N" of the numbers that its signal handler was sent; a line "end" ends it with status 0 when nothing was
// amiss.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static volatile int amiss, stop;
static volatile long sum;
static int quiet[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void complain(const char *what) {
  printf("FAIL: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  amiss = 1;
}
static void *sleeper(void *argument) {
  while (!stop) {
    struct timespec time = {0, 20000000};
    if (nanosleep(&time, NULL) != 0) complain("nanosleep");
  }
  return argument;
}
static void *poller(void *argument) {
  struct pollfd fd = {quiet[0], POLLIN, 0};
  int result = poll(&fd, 1, 1000000);
  if (!stop && result != 1) complain("poll");
  return argument;
}
static void *waiter(void *argument) {
  struct epoll_event event = {.events = EPOLLIN};
  int instance = epoll_create1(0);
  epoll_ctl(instance, EPOLL_CTL_ADD, quiet[0], &event);
  if (epoll_wait(instance, &event, 1, -1) != 1) complain("epoll_wait");
  return argument;
}
static void *locked(void *argument) {
  pthread_mutex_lock(&lock);
  while (!stop) pthread_cond_wait(&never, &lock);
  pthread_mutex_unlock(&lock);
  return argument;
}
static void *allocator(void *argument) {
  for (unsigned i = 0; !stop; i++) {
    char *memory = malloc(100 + i % 5000);
    memory[0] = (char)i;
    free(memory);
  }
  return argument;
}
static void handle(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  sum += info->si_value.sival_int;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGRTMIN, &action, NULL);
  if (pipe(quiet) != 0) return 2;
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  pthread_sigmask(SIG_BLOCK, &set, &before);  // the signals are the first thread's
  void *(*const bodies[])(void *) = {sleeper, poller, waiter, locked, allocator};
  pthread_t threads[5];
  for (int i = 0; i < 5; i++) pthread_create(&threads[i], NULL, bodies[i], NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  puts("steady");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "end\n") != 0) {
    printf("sum %ld\n", sum);
    fflush(stdout);
  }
  if (ferror(stdin)) complain("read");
  stop = 1;
  if (write(quiet[1], "x", 1) != 1) complain("write");
  pthread_cond_signal(&never);
  for (int i = 0; i < 5; i++) pthread_join(threads[i], NULL);
  return amiss;
}
