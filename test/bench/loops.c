// What calls cost: `loops` says `ready`, and for each SIGUSR1 prints one line `NAME NANOSECONDS` (of one iteration, the best of
// several rounds) for each loop, then `done`. So the same program is measured without Cairn, under it, and after a restart.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static volatile uint64_t sink;
static int pipe_ends[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
enum { MEMORY = 32 << 20 };
static char *memory;

static void compute(uint64_t count) {
  uint64_t value = sink + 1;
  for (uint64_t i = 0; i < count; i++) value ^= value << 13, value ^= value >> 7, value ^= value << 17;
  sink = value;
}
static void touch(uint64_t count) {
  // A step that neither caches nor prefetchers keep up with.
  uint64_t at = 0, sum = 0;
  for (uint64_t i = 0; i < count; i++) sum += (uint64_t)memory[at]++, at = (at + 4096 * 5 + 64) % MEMORY;
  sink = sum;
}
static void allocate(uint64_t count) {
  enum { KEPT = 64 };
  static void *kept[KEPT];
  for (uint64_t i = 0; i < count; i++) {
    void **place = &kept[i * 7 % KEPT];
    free(*place);
    *place = malloc(16 + i * 37 % 2000);
  }
}
static void ask_pid(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) sink += (uint64_t)getpid();
}
static void kill_nothing(uint64_t count) {
  pid_t self = getpid();
  for (uint64_t i = 0; i < count; i++) sink += (uint64_t)kill(self, 0);
}
static void open_close(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) close(open("loops.data", O_RDONLY));
}
static void read_write(uint64_t count) {
  char byte = 1;
  for (uint64_t i = 0; i < count; i++)
    if (write(pipe_ends[1], &byte, 1) != 1 || read(pipe_ends[0], &byte, 1) != 1) abort();
}
static void lock_unlock(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) pthread_mutex_lock(&mutex), sink++, pthread_mutex_unlock(&mutex);
}
static void *nothing(void *argument) { return argument; }
static void ask_time(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) sink += (uint64_t)now();
}
static void start_thread(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL)) abort();
    pthread_join(thread, NULL);
  }
}
static void fork_wait(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child < 0 || waitpid(child, NULL, 0) != child) abort();
  }
}
static void run_true(uint64_t count) {
  extern char **environ;
  for (uint64_t i = 0; i < count; i++) {
    char *words[] = {"true", NULL};
    pid_t child;
    if (posix_spawn(&child, "/bin/true", NULL, NULL, words, environ) || waitpid(child, NULL, 0) != child) abort();
  }
}

// As long as a timer tick at least, so that the clock's own cost is lost in it.
static double best(void (*loop)(uint64_t)) {
  enum { ROUNDS = 9, LEAST = 10000000 };
  uint64_t count = 1;
  int64_t time = 0;
  for (;; count *= 4) {
    int64_t start = now();
    loop(count);
    time = now() - start;
    if (time >= LEAST / 4) break;
  }
  count = count * (LEAST / 1000) / (uint64_t)(time / 1000 + 1) + 1;
  double least = 1e18;
  for (int round = 0; round < ROUNDS; round++) {
    int64_t start = now();
    loop(count);
    double one = (double)(now() - start) / (double)count;
    if (one < least) least = one;
  }
  return least;
}

int main(void) {
  static const struct {
    const char *name;
    void (*loop)(uint64_t);
  } loops[] = {
      {"compute", compute},      {"memory", touch},     {"malloc", allocate},   {"getpid", ask_pid},
      {"kill", kill_nothing},    {"open", open_close},  {"pipe", read_write},   {"mutex", lock_unlock},
      {"clock", ask_time},       {"thread", start_thread}, {"fork", fork_wait}, {"exec", run_true},
  };
  // Huge pages come by luck, and would tell the lives apart.
  memory = (char *)mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  madvise(memory, MEMORY, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < MEMORY; at++) memory[at] = (char)at;
  int data = open("loops.data", O_WRONLY | O_CREAT, 0600);
  if (data < 0 || pipe(pipe_ends)) return 1;
  close(data);
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigset_t asked;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &asked, NULL);
  puts("ready");
  for (;;) {
    int number;
    sigwait(&asked, &number);
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) printf("%s %.3f\n", loops[i].name, best(loops[i].loop));
    puts("done");
  }
}
