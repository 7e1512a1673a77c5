// For clock.test.ts: waits on CLOCK_MONOTONIC in every way until moments two seconds away, and says for how long each took by that clock,
// and whether the clock ever went back. Arguments: a file; once it is there, the second half begins.
// flags: -pthread
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
static struct timespec in_ms(int64_t ms) {
  int64_t then = now(CLOCK_MONOTONIC) + ms * 1000000;
  return (struct timespec){then / 1000000000, then % 1000000000};
}

static void by_sleep(struct timespec *then) {
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, then, NULL) == EINTR) {
  }
}
static void by_condition(struct timespec *then) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition, &attributes);
  pthread_mutex_lock(&mutex);
  while (pthread_cond_timedwait(&condition, &mutex, then) == 0) {
  }
}
static void by_condition_clock(struct timespec *then) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  pthread_mutex_lock(&mutex);
  while (pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, then) == 0) {
  }
}
static void by_semaphore(struct timespec *then) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  while (sem_clockwait(&semaphore, CLOCK_MONOTONIC, then) != 0 && errno == EINTR) {
  }
}
static void by_mutex(struct timespec *then) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_trylock(&mutex);
  pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, then);
}
static void by_lock(struct timespec *then) {
  static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  static pthread_barrier_t once;
  (void)once;
  pthread_rwlock_tryrdlock(&lock);
  pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, then);
}
static void by_timerfd(struct timespec *then) {
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec value = {{0, 0}, *then};
  timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL);
  uint64_t count;
  if (read(fd, &count, sizeof count) < 0) perror("timerfd");
  close(fd);
}
static void by_timer(struct timespec *then) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  struct itimerspec value = {{0, 0}, *then};
  timer_settime(timer, TIMER_ABSTIME, &value, NULL);
  siginfo_t info;
  while (sigwaitinfo(&set, &info) < 0) {
  }
  timer_delete(timer);
}
static void by_syscall(struct timespec *then) {
  uint32_t word = 0;
  while (syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, then, NULL, ~0u) != 0 && errno == EINTR) {
  }
}

static const struct {
  const char *name;
  void (*wait)(struct timespec *);
} ways[] = {{"sleep", by_sleep}, {"condition", by_condition}, {"condition-clock", by_condition_clock}, {"semaphore", by_semaphore},
            {"mutex", by_mutex}, {"lock", by_lock}, {"timerfd", by_timerfd}, {"timer", by_timer}, {"syscall", by_syscall}};
enum { COUNT = sizeof ways / sizeof *ways };

struct turn {
  int way;
  int64_t took, late;
};
static void *body(void *argument) {
  struct turn *turn = argument;
  int64_t before = now(CLOCK_MONOTONIC);
  struct timespec then = in_ms(2000), kept = then;
  ways[turn->way].wait(&then);
  turn->took = (now(CLOCK_MONOTONIC) - before) / 1000000;
  turn->late = memcmp(&then, &kept, sizeof then) != 0;
  return NULL;
}
static void round_of(const char *name, int count) {
  pthread_t threads[COUNT];
  struct turn turns[COUNT];
  for (int i = 0; i < count; i++) {
    turns[i].way = i;
    pthread_create(&threads[i], NULL, body, &turns[i]);
  }
  if (name[0] == 'f') usleep(300000), printf("waiting\n");
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < count; i++) printf("%s %s %ld%s\n", name, ways[i].name, (long)turns[i].took, turns[i].late ? " changed" : "");
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
  int64_t before[4], real = now(CLOCK_REALTIME);
  for (int i = 0; i < 4; i++) before[i] = now(clocks[i]);
  // The last way is a raw call, which nobody sees before a restart: not one that is in progress then.
  round_of("first", COUNT - 1);
  while (argc > 1 && access(argv[1], F_OK) != 0) usleep(10000);
  for (int i = 0; i < 4; i++) printf("clock %d %ld\n", (int)clocks[i], (long)((now(clocks[i]) - before[i]) / 1000000));
  struct timespec raw;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &raw);
  printf("raw %ld\n", (long)((raw.tv_sec * 1000000000LL + raw.tv_nsec - now(CLOCK_MONOTONIC)) / 1000000));
  printf("real %ld\n", (long)((now(CLOCK_REALTIME) - real) / 1000000));
  fflush(stdout);
  if (argc > 2) execlp("perl", "perl", "-MTime::HiRes=clock_gettime,CLOCK_MONOTONIC", "-e", argv[2], NULL);
  round_of("second", COUNT);
  return 0;
}
