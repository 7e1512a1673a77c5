// A program that lives with faults of its own, as runtimes do: it writes to memory that is not there, and its handler of SIGSEGV goes on
// behind that. SIGFPE is ignored, SIGABRT handled. Says how many faults there were, and ends with status 0 when the file of its argument
// exists and nothing was amiss.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static sigjmp_buf place;
static volatile int aborts;

static void on_fault(int signal) { siglongjmp(place, signal); }
static void on_abort(int signal) { aborts += signal != 0; }

static int is(int signal, void (*handler)(int)) {
  struct sigaction now;
  return sigaction(signal, NULL, &now) == 0 && now.sa_handler == handler;
}

static void *idle(void *argument) {
  for (;;) {
    struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
  }
  return argument;
}

int main(int argc, char **argv) {
  struct stat status;
  pthread_t thread;
  if (argc < 2) return 2;
  signal(SIGSEGV, on_fault);
  signal(SIGABRT, on_abort);
  signal(SIGFPE, SIG_IGN);
  if (pthread_create(&thread, NULL, idle, NULL) != 0) return 2;
  for (long faults = 0; stat(argv[1], &status) != 0;) {
    if (sigsetjmp(place, 1) == 0) {
      *(volatile int *)16 = 1;
      puts("FAIL: no fault came");
      return 1;
    }
    if (!is(SIGSEGV, on_fault) || !is(SIGABRT, on_abort) || !is(SIGFPE, SIG_IGN) || aborts != 0) {
      puts("FAIL: a disposition has changed");
      return 1;
    }
    if (++faults % 100 == 0) {
      printf("%ld faults\n", faults);
      fflush(stdout);
    }
    struct timespec pause = {0, 100000};
    nanosleep(&pause, NULL);
  }
  puts("done");
  return 0;
}
