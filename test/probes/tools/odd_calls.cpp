// Functions that are called in odd ways, for entries that stand between a caller and a plugin's wrapper. One source, by a macro:
//   LIBRARY  the functions
//   PLUGIN   a plugin of this NAME that wraps each and passes on what it gets
//   else     the program: calls all, again and again, says `right N` or what was wrong, and ends when the file argv[1] is there;
//            with another argument, without a pause
#include <setjmp.h>
#include <stdarg.h>

#define SHOWN extern "C" __attribute__((visibility("default")))

struct Large {
  long values[20];
};
struct Pair {
  double real;
  long whole;
};

typedef double many_function(int, int, int, int, int, int, long, long, long, double, double, double, double, double, double, double, double, double, long, double);
typedef struct Large large_function(struct Large, long);
typedef struct Pair pair_function(double, long);
typedef long double longer_function(long double, int);
typedef long listed_function(int, ...);
typedef void throwing_function(int);
typedef void jumping_function(jmp_buf *, int);
typedef float __attribute__((vector_size(32))) wide;
typedef void wide_function(wide, wide *);

#if defined(LIBRARY)

SHOWN double odd_many(int a, int b, int c, int d, int e, int f, long g, long h, long i, double j, double k, double l, double m, double n, double o,
                      double p, double q, double r, long s, double t) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + j + k + l + m + n + o + p + q + 100 * r + 1000 * s + 10000 * t;
}
SHOWN struct Large odd_large(struct Large value, long plus) {
  for (long& one : value.values) one += plus;
  return value;
}
SHOWN struct Pair odd_pair(double real, long whole) { return {real + 1, whole + 2}; }
SHOWN long double odd_longer(long double value, int by) { return value * by; }
SHOWN long odd_listed(int count, ...) {
  va_list list;
  va_start(list, count);
  double sum = 0;
  for (int i = 0; i < count; i++) sum += va_arg(list, double);
  va_end(list);
  return static_cast<long>(sum);
}
SHOWN void odd_throwing(int value) { throw value; }
SHOWN void odd_jumping(jmp_buf* place, int value) { longjmp(*place, value); }
SHOWN __attribute__((target("avx"))) void odd_wide(wide value, wide* to) { *to = value + value; }

#elif defined(PLUGIN)

#include <cairn/plugin.h>
#include <stddef.h>

#define PASS(name)                                                                                                          \
  static name##_function* next_##name;                                                                                      \
  static const struct cairn_wrap wrap_##name = {sizeof(struct cairn_wrap), 0, "odd_" #name, "libodd.so",                    \
                                                reinterpret_cast<cairn_function>(pass_##name), reinterpret_cast<cairn_function*>(&next_##name), nullptr}

static many_function pass_many;
static large_function pass_large;
static pair_function pass_pair;
static longer_function pass_longer;
static throwing_function pass_throwing;
static jumping_function pass_jumping;
__attribute__((target("avx"))) static void pass_wide(wide value, wide* to);
static long pass_listed(int count, double a, double b, double c, double d, double e, double f, double g, double h, double i, double j);
PASS(many);
PASS(large);
PASS(pair);
PASS(longer);
PASS(throwing);
PASS(jumping);
PASS(wide);
PASS(listed);

static double pass_many(int a, int b, int c, int d, int e, int f, long g, long h, long i, double j, double k, double l, double m, double n, double o,
                        double p, double q, double r, long s, double t) {
  return next_many(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
}
static struct Large pass_large(struct Large value, long plus) { return next_large(value, plus); }
static struct Pair pass_pair(double real, long whole) { return next_pair(real, whole); }
static long double pass_longer(long double value, int by) { return next_longer(value, by); }
static void pass_throwing(int value) { next_throwing(value); }
static void pass_jumping(jmp_buf* place, int value) { next_jumping(place, value); }
static void pass_wide(wide value, wide* to) { next_wide(value, to); }
static long pass_listed(int count, double a, double b, double c, double d, double e, double f, double g, double h, double i, double j) {
  return next_listed(count, a, b, c, d, e, f, g, h, i, j);
}

static const struct cairn_wrap* const wraps[] = {&wrap_many,     &wrap_large,   &wrap_pair, &wrap_longer,
                                                 &wrap_throwing, &wrap_jumping, &wrap_wide, &wrap_listed, nullptr};
static struct cairn_plugin plugin;
CAIRN_EXPORT const struct cairn_plugin* cairn_plugin_entry(uint32_t, uint32_t) {
  plugin.size = sizeof plugin;
  plugin.abi_major = CAIRN_PLUGIN_ABI_MAJOR;
  plugin.abi_minor = CAIRN_PLUGIN_ABI_MINOR;
  plugin.name = NAME;
  plugin.version = "1";
  plugin.author = "test";
  plugin.wraps = wraps;
  return &plugin;
}

#else

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

extern "C" {
many_function odd_many;
large_function odd_large;
pair_function odd_pair;
longer_function odd_longer;
listed_function odd_listed;
throwing_function odd_throwing;
jumping_function odd_jumping;
wide_function odd_wide;
}

static ucontext_t outside, inside;
static double on_short_stack;
static void short_stack(void) {
  for (;;) {
    on_short_stack = static_cast<double>(odd_pair(3, 4).whole);
    swapcontext(&inside, &outside);
  }
}

__attribute__((target("avx"))) static bool wide_is_right(void) {
  wide value = {1, 2, 3, 4, 5, 6, 7, 8}, twice = {};
  odd_wide(value, &twice);
  return twice[0] == 2 && twice[7] == 16;
}

static const char* wrong(void) {
  errno = 77;
  if (odd_many(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) != 91 + 194 + 36 + 900 + 10000 + 110000) return "many";
  struct Large large = {};
  for (long i = 0; i < 20; i++) large.values[i] = i;
  struct Large more = odd_large(large, 5);
  for (long i = 0; i < 20; i++)
    if (more.values[i] != i + 5) return "large";
  struct Pair pair = odd_pair(1.5, 7);
  if (pair.real != 2.5 || pair.whole != 9) return "pair";
  if (odd_longer(1.25L, 4) != 5.0L) return "longer";
  if (odd_listed(10, 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.) != 55) return "listed";
  if (errno != 77) return "errno";
  int caught = 0;
  try {
    odd_throwing(3);
  } catch (int value) {
    caught = value;
  }
  if (caught != 3) return "throwing";
  jmp_buf place;
  const int jumped = setjmp(place);
  if (jumped == 0) odd_jumping(&place, 4);
  if (jumped != 4) return "jumping";
  if (__builtin_cpu_supports("avx") && !wide_is_right()) return "wide";
  on_short_stack = 0;
  swapcontext(&outside, &inside);
  return on_short_stack == 6 ? nullptr : "short stack";
}

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  // A stack at whose end nothing can be read.
  const size_t size = 65536;
  char* stack = static_cast<char*>(mmap(nullptr, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(stack + size, 4096, PROT_NONE);
  getcontext(&inside);
  inside.uc_stack.ss_sp = stack;
  inside.uc_stack.ss_size = size;
  makecontext(&inside, short_stack, 0);
  for (long count = 0; access(argv[1], F_OK) != 0; count++) {
    const char* what = wrong();
    if (what != nullptr) {
      printf("wrong: %s\n", what);
      return 1;
    }
    if (count % 20 == 0) printf("right %ld\n", count);
    if (argc == 2) usleep(2000);
  }
}

#endif
