// The first thread has ended by pthread_exit; the others go on, and the process ends with the last of them. Files, folders, memory
// and timers of the process are as with a first thread that lives.
// sabotage: poke @cell
// attached: not possible: a process whose first thread has ended shows neither its folder nor its program
#include "../probe.h"

static volatile int joined;
static pthread_t leader;
static pid_t pid, tid;
static uint64_t cell = 55;
static int folder, file, other_file;
static char *area;
static timer_t timer;
static mode_t mask;
enum { area_bytes = 4 << 20 };

static void *body(void *argument) {
  pthread_join(leader, NULL);
  joined = 1;
  // Until the kernel has taken the thread's things from it.
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", pid);
  for (int zombie = 0; !zombie; probe_sleep_ms(1)) {
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0, "open %s", path);
    ssize_t count = read(fd, text, sizeof text - 1);
    text[count > 0 ? count : 0] = 0;
    close(fd);
    zombie = strstr(text, ") Z ") != NULL;
  }
  probe_hold();
  CHECK(cell == 55, "a static value");
  CHECK(getpid() == pid && gettid() == tid, "ids changed");
  CHECK(kill(getpid(), 0) == 0, "kill(getpid(), 0)");
  CHECK(tgkill(pid, tid, 0) == 0, "tgkill");
  CHECK(umask(0) == mask, "umask");
  CHECK(write(file, "after", 5) == 5 && pread(file, text, 16, 0) == 11 && memcmp(text, "beforeafter", 11) == 0, "the file");
  int fd = openat(folder, "leader.txt", O_RDONLY);
  CHECK(fd >= 0 && read(fd, text, 16) == 11, "openat");
  CHECK((other_file = open("leader.new", O_RDWR | O_CREAT, 0600)) >= 0 && write(other_file, "x", 1) == 1, "a new file");
  CHECK(unlink("leader.txt") == 0 && unlink("leader.new") == 0, "unlink");
  CHECK(probe_compare(area, area_bytes, 9) == -1, "memory");
  CHECK(madvise(area, area_bytes, MADV_DONTNEED) == 0 && probe_nonzero(area, area_bytes) == -1, "memory that was given back");
  struct itimerspec left;
  CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec > 100, "the timer");
  probe_ok();
  exit(0);
  return argument;
}
static void *other(void *argument) {
  for (;;) probe_sleep_ms(10);
  return argument;
}
static void *start(void *argument) {
  tid = gettid();
  return body(argument);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  leader = pthread_self();
  pid = getpid();
  umask(mask = 027);
  folder = open(".", O_RDONLY | O_DIRECTORY);
  file = open("leader.txt", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(folder >= 0 && file >= 0 && write(file, "before", 6) == 6, "the file");
  area = (char *)mmap(NULL, area_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_fill(area, area_bytes, 9);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec later = {.it_value = {.tv_sec = 1000}};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &later, NULL) == 0, "timer_create");
  pthread_t thread;
  pthread_create(&thread, NULL, start, NULL);
  pthread_create(&thread, NULL, other, NULL);
  pthread_exit(NULL);
}
