// What a call through layers of plugins costs. One source, by a macro:
//   LIBRARY  a library of somebody else's: a function that does next to nothing, and another one
//   LAYER    a plugin named NAME that wraps FUNCTION and passes on what it gets
//   else     the program: says `ready`, and for each SIGUSR1 `value NANOSECONDS`, of one call of the function, the best of several rounds
#if defined(LIBRARY)

long bench_value(long value);
long other_value(long value);
long bench_value(long value) { return value + 1; }
long other_value(long value) { return value - 1; }

#elif defined(LAYER)

#include <cairn/plugin.h>
#include <stddef.h>

static long (*next_value)(long);
static long value(long argument) { return next_value(argument); }
static const struct cairn_wrap wrap = {
    sizeof wrap, 0, FUNCTION, "libbench.so", (cairn_function)value, (cairn_function *)&next_value, NULL,
};
static const struct cairn_wrap *const wraps[] = {&wrap, NULL};
static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = NAME,
    .version = "1",
    .author = "test",
    .wraps = wraps,
};
CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
  return &plugin;
}

#else

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

long bench_value(long value);
long other_value(long value);

static volatile long sink;

// Short enough to run without being interrupted, often.
static double once(void) {
  enum { CALLS = 200000 };
  struct timespec begin, end;
  long value = sink;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < CALLS; i++) value = bench_value(value);
  clock_gettime(CLOCK_MONOTONIC, &end);
  sink = value;
  return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / CALLS;
}

int main(void) {
  sink = other_value(1);
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigset_t asked;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &asked, NULL);
  puts("ready");
  for (;;) {
    int number;
    sigwait(&asked, &number);
    double best = once();
    for (int round = 0; round < 300; round++) {
      double time = once();
      if (time < best) best = time;
    }
    printf("value %.4f\n", best);
  }
}

#endif
