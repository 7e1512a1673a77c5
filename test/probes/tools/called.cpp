// `called END`: calls called_library.cpp and libc, says what came back, again and again until the file END is there.
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

struct Pair {
  double first, second;
};
struct Large {
  long values[5];
};
extern "C" {
long nine(long, long, long, long, long, long, long, long, long);
double mixed(double, int, float, long, double, double, double, double, double, double, long);
Pair pair(double);
Large large(long);
long double wide(long double);
int variable(int, ...);
double vector(const double*);
int thrower(int);
}

static int caught(int value) {
  try {
    return thrower(value);
  } catch (int thrown) {
    return thrown + 100;
  }
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const double four[] = {1, 2, 3, 4};
  while (access(argv[1], F_OK) != 0) {
    const Pair two = pair(3);
    const Large many = large(7);
    printf("called nine %ld mixed %g pair %g %g large %ld %ld wide %.5Lf variable %d vector %g thrown %d\n", nine(1, 2, 3, 4, 5, 6, 7, 8, 9),
           mixed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), two.first, two.second, many.values[0], many.values[4], wide(10), variable(3, 1.5, 2.5, 3.0),
           vector(four), caught(5));
    char buffer[16] = "...............";
    const int fd = open("/proc/self/comm", O_RDONLY);
    errno = 0;
    const ssize_t size = read(fd, buffer, sizeof buffer);
    printf("read %zd errno %d %.6s\n", size, errno, buffer);
    if (fd >= 0) close(fd);
    usleep(5000);
  }
  return 0;
}
