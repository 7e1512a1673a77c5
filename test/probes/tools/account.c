// A client of the server of external.test.ts: two processes share one connection and take turns, each with answers under way, and compare
// the server's sum with their own. ADDRESS FILE: until FILE is there. Every answer is waited for by epoll. Descriptors of the child: the
// number of before, and one more (dup). Prints "turn N" every twenty turns, "done" at the end.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ADD = 1 };
struct message {
  uint32_t kind;
  uint32_t number;
  uint64_t value;
};
struct shared {
  uint32_t number;
  uint64_t sum;
};

#define CHECK(condition, what)                                                    \
  do {                                                                            \
    if (!(condition)) {                                                           \
      dprintf(1, "FAIL: %s (errno %d, process %d)\n", what, errno, (int)getpid()); \
      _exit(1);                                                                   \
    }                                                                             \
  } while (0)

static struct shared *shared;
static struct sockaddr_storage first_peer;
static socklen_t first_size;

static void connect_to(int fd, const char *address) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  strncpy(name.sun_path, address, sizeof name.sun_path - 1);
  port.sin_port = htons((uint16_t)atoi(address));
  int local = address[0] == '/';
  CHECK(connect(fd, local ? (struct sockaddr *)&name : (struct sockaddr *)&port, local ? sizeof name : sizeof port) == 0, "connect");
  first_size = sizeof first_peer;
  getpeername(fd, (struct sockaddr *)&first_peer, &first_size);
}

// Several questions, and then their answers: some are under way at any moment.
static void turn(int ask, int answer, int epoll) {
  uint32_t before = shared->number;
  for (int i = 0; i < 4; i++) {
    struct message message = {ADD, ++shared->number, shared->number * 7919u};
    CHECK(write(ask, &message, sizeof message) == sizeof message, "write");
  }
  usleep(500);
  for (int i = 0; i < 4; i++) {
    struct message message;
    for (size_t had = 0; had < sizeof message;) {
      struct epoll_event event;
      int ready = epoll_wait(epoll, &event, 1, 20000);
      CHECK(ready == 1 && event.data.u64 == 4711, "epoll_wait");
      ssize_t count = read(answer, (char *)&message + had, sizeof message - had);
      if (count < 0 && errno == EAGAIN) continue;
      CHECK(count > 0, "read");
      had += (size_t)count;
    }
    shared->sum += (++before) * 7919u;
    CHECK(message.number == before, "an answer is missing or doubled");
    CHECK(message.value == shared->sum, "another sum");
  }
  struct sockaddr_storage peer = {0};
  socklen_t size = sizeof peer;
  CHECK(getpeername(ask, (struct sockaddr *)&peer, &size) == 0, "getpeername");
  CHECK(size == first_size && memcmp(&peer, &first_peer, size) == 0, "another peer is shown");
}

static int watch(int fd) {
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 4711};
  CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  return epoll;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ping[2], pong[2];
  CHECK(pipe(ping) == 0 && pipe(pong) == 0, "pipe");
  int fd = socket(argv[1][0] == '/' ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
  int yes = 1;
  if (argv[1][0] != '/') setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  connect_to(fd, argv[1]);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  char token = 0;
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ping[1]);
    close(pong[0]);
    int other = dup(fd);
    int epoll = watch(other);
    while (read(ping[0], &token, 1) == 1) {
      turn(fd, other, epoll);
      CHECK(write(pong[1], &token, 1) == 1, "pipe");
    }
    _exit(0);
  }
  close(ping[0]);
  close(pong[1]);
  int epoll = watch(fd);
  struct stat status;
  int turns = 0;
  for (; stat(argv[2], &status) != 0; turns++) {
    turn(fd, fd, epoll);
    CHECK(write(ping[1], &token, 1) == 1 && read(pong[0], &token, 1) == 1, "the child is gone");
    if (turns % 20 == 0) dprintf(1, "turn %d\n", turns);
  }
  close(ping[1]);
  int end = 0;
  CHECK(waitpid(child, &end, 0) == child && end == 0, "the child failed");
  dprintf(1, "done\n");
  return 0;
}
