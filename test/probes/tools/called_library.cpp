// Functions of every kind of argument and result: what a layer that knows nothing of them must pass on.
#include <cstdarg>
#include <immintrin.h>

struct Pair {
  double first, second;
};
struct Large {
  long values[5];
};

extern "C" {
long nine(long a, long b, long c, long d, long e, long f, long g, long h, long i) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i;
}
double mixed(double a, int b, float c, long d, double e, double f, double g, double h, double i, double j, long k) {
  return a + b + c + d + e + f + g + h + i + 10 * j + k;
}
Pair pair(double a) { return {a, a / 2}; }
Large large(long a) { return {{a, a + 1, a + 2, a + 3, a + 4}}; }
long double wide(long double a) { return a / 3; }
int variable(int count, ...) {
  va_list list;
  va_start(list, count);
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += va_arg(list, double);
  va_end(list);
  return static_cast<int>(sum);
}
__attribute__((target("avx"))) double vector(const double* values) {
  __m256d four = _mm256_loadu_pd(values);
  double sums[4];
  _mm256_storeu_pd(sums, _mm256_add_pd(four, four));
  return sums[0] + sums[1] + sums[2] + sums[3];
}
int thrower(int value) {
  if (value > 0) throw value;
  return value;
}
}
