// The native half of the benchmarks: what is measured must not contain an interpreter.
//
//   measure hold MEGABYTES          touched random memory; prints a line `beat` every 5 ms, and on SIGUSR1 the largest gap
//                                   between two looks at the clock since the last SIGUSR1: `gap NANOSECONDS`
//   measure fork MEGABYTES          time of fork() with that much touched random memory: `fork NANOSECONDS`, the median of 9
//   measure leave BYTES             time of fork() and of the child's exit, likewise: `leave NANOSECONDS`, the median of 31
//   measure end MEGABYTES           touched random memory; prints `ready`, and ends when there is no file `hold`
//   measure write BYTES FILE        time of write() and fdatasync() of that many bytes: `write NANOSECONDS`, the median of 3
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static uint64_t *random_memory(size_t bytes) {
  uint64_t *words = (uint64_t *)malloc(bytes), value = 88172645463325252ull;
  if (!words) exit(1);
  for (size_t i = 0; i < bytes / 8; i++) {
    value ^= value << 13, value ^= value >> 7, value ^= value << 17;
    words[i] = value;
  }
  return words;
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}
static void report(const char *what, int64_t *times, size_t count) {
  qsort(times, count, sizeof times[0], ascending);
  printf("%s %lld\n", what, (long long)times[count / 2]);
}

static volatile sig_atomic_t asked;
static void on_ask(int number) { (void)number, asked = 1; }

// Looks at the clock without a pause: a gap is time in which this thread did not run.
static volatile int64_t largest_gap;
static void *watch(void *argument) {
  for (int64_t last = now();;) {
    int64_t time = now();
    if (time - last > largest_gap) largest_gap = time - last;
    last = time;
  }
  return argument;
}

static int hold(size_t bytes) {
  uint64_t *memory = random_memory(bytes);
  struct sigaction action = {.sa_handler = on_ask, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, watch, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (uint64_t i = 0;; i++) {
    memory[i * 512 % (bytes / 8)] += i;
    if (asked) {
      asked = 0;
      printf("gap %lld\n", (long long)largest_gap);
      largest_gap = 0;
    }
    printf("beat\n");
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
  }
  return 0;
}

static int time_fork(size_t bytes) {
  uint64_t *memory = random_memory(bytes);
  int64_t times[9];
  for (int i = 0; i < 9; i++) {
    int64_t start = now();
    pid_t child = fork();
    if (child == 0) _exit((int)memory[0] & 0);
    times[i] = now() - start;
    if (child < 0 || waitpid(child, NULL, 0) != child) return 1;
    // As a running program does: pages are written to again.
    for (size_t at = 0; at < bytes / 8; at += 512) memory[at]++;
  }
  report("fork", times, 9);
  return 0;
}

static int time_leave(size_t bytes) {
  uint64_t *memory = random_memory(bytes);
  int64_t times[31];
  for (int i = 0; i < 31; i++) {
    int64_t start = now();
    pid_t child = fork();
    if (child == 0) _exit((int)memory[0] & 0);
    if (child < 0 || waitpid(child, NULL, 0) != child) return 1;
    times[i] = now() - start;
    for (size_t at = 0; at < bytes / 8; at += 512) memory[at]++;
  }
  report("leave", times, 31);
  return 0;
}

static int end(size_t bytes) {
  uint64_t *memory = random_memory(bytes);
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  while (access("hold", F_OK) == 0) usleep(1000);
  return (int)memory[0] & 0;
}

static int time_write(size_t bytes, const char *path) {
  size_t chunk = 64 << 20;
  if (chunk > bytes) chunk = bytes;
  char *memory = (char *)random_memory(chunk + 8);
  int64_t times[3];
  for (int i = 0; i < 3; i++) {
    unlink(path);
    int64_t start = now();
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    for (size_t done = 0; done < bytes;) {
      ssize_t got = write(fd, memory, bytes - done < chunk ? bytes - done : chunk);
      if (got <= 0) return 1;
      done += (size_t)got;
    }
    if (fdatasync(fd)) return 1;
    times[i] = now() - start;
    close(fd);
  }
  unlink(path);
  report("write", times, 3);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  size_t number = strtoull(argv[2], NULL, 10);
  if (strcmp(argv[1], "hold") == 0) return hold(number << 20);
  if (strcmp(argv[1], "fork") == 0) return time_fork(number << 20);
  if (strcmp(argv[1], "leave") == 0) return time_leave(number);
  if (strcmp(argv[1], "end") == 0) return end(number << 20);
  if (strcmp(argv[1], "write") == 0 && argc > 3) return time_write(number, argv[3]);
  return 2;
}
