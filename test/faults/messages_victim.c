// `messages_victim unix|tcp|udp|pipe|fifo`: a connection to itself, by which one thread sends six messages in several ways and another one receives them: each
// with its length in two bytes, the higher one first, but datagrams. Says `ready` when it is there, begins when the file `hold` is gone, and ends
// with what was received. Over TCP it polls, and does not wait in calls.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGES = 6 };
static int out, in, is_stream = 1, is_socket = 1, polls;

static void fail(const char *what) {
  perror(what);
  exit(9);
}

static void *receive(void *none) {
  (void)none;
  static unsigned char got[4096];
  size_t size = 0;
  printf("got");
  for (int turn = 0;; ++turn) {
    ssize_t part;
    struct iovec parts[2] = {{got + size, 3}, {got + size + 3, 5}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct pollfd waits = {in, POLLIN, 0};
    if (polls) poll(&waits, 1, -1);
    if (!is_stream) part = recv(in, got, sizeof got, 0);
    else if (turn % 4 == 0 && is_socket) part = recvmsg(in, &message, 0);
    else if (turn % 4 == 1 && is_socket) part = recv(in, got + size, 4, 0);
    else if (turn % 4 == 2) part = readv(in, parts, 2);
    else part = read(in, got + size, 7);
    if (part < 0 && errno == EAGAIN) continue;
    if (part < 0) fail("receive");
    if (part == 0) break;
    if (!is_stream) {
      if (part == 3 && memcmp(got, "end", 3) == 0) break;
      printf(" %.*s", (int)part, got);
      continue;
    }
    size += (size_t)part;
    for (size_t whole; size >= 2 && size >= (whole = 2 + (size_t)(got[0] << 8 | got[1]));) {
      printf(" %.*s", (int)whole - 2, got + 2);
      size -= whole;
      memmove(got, got + whole, size);
    }
  }
  puts(size > 0 && is_stream ? " and a part" : "");
  return NULL;
}

static void send_one(int n, const void *bytes, size_t size) {
  struct iovec parts[2] = {{(void *)bytes, 1}, {(char *)bytes + 1, size - 1}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  ssize_t sent;
  if (n % 4 == 0 && is_socket) sent = send(out, bytes, size, 0);
  else if (n % 4 == 1 && is_socket) sent = sendmsg(out, &message, 0);
  else if (n % 4 == 2) sent = writev(out, parts, 2);
  else sent = write(out, bytes, size);
  if (sent != (ssize_t)size) fail("send");
}

static void connect_to_itself(int family, int type, struct sockaddr *address, socklen_t size) {
  int server = socket(family, type, 0);
  if (bind(server, address, size) < 0) fail("bind");
  getsockname(server, address, &size);
  if (type == SOCK_STREAM && listen(server, 1) < 0) fail("listen");
  out = socket(family, type, 0);
  if (connect(out, address, size) < 0) fail("connect");
  in = type == SOCK_STREAM ? accept(server, NULL, NULL) : server;
  if (type == SOCK_STREAM) return;
  getsockname(out, address, &size);
  if (connect(in, address, size) < 0) fail("connect");
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "link"};
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (strcmp(how, "unix") == 0) connect_to_itself(AF_UNIX, SOCK_STREAM, (struct sockaddr *)&local, sizeof local);
  else if (strcmp(how, "tcp") == 0) {
    connect_to_itself(AF_INET, SOCK_STREAM, (struct sockaddr *)&inet, sizeof inet);
    fcntl(in, F_SETFL, O_NONBLOCK);
    polls = 1;
  } else if (strcmp(how, "udp") == 0) {
    is_stream = 0;
    connect_to_itself(AF_INET, SOCK_DGRAM, (struct sockaddr *)&inet, sizeof inet);
  } else {
    int ends[2];
    is_socket = 0;
    if (strcmp(how, "fifo") == 0) {
      mkfifo("link", 0600);
      ends[0] = open("link", O_RDONLY | O_NONBLOCK);
      ends[1] = open("link", O_WRONLY);
      fcntl(ends[0], F_SETFL, 0);
    } else if (pipe(ends) < 0) fail("pipe");
    in = ends[0], out = ends[1];
  }
  puts("ready");
  while (access("hold", F_OK) == 0) usleep(1000);
  pthread_t receiver;
  pthread_create(&receiver, NULL, receive, NULL);
  char both[64];
  size_t kept = 0;
  for (int n = 1; n <= MESSAGES; ++n) {
    char *text = both + kept;
    int size = sprintf(text + 2 * is_stream, "m%d%.*s", n, n, "......");
    if (is_stream) text[0] = 0, text[1] = (char)size;
    kept += (size_t)(size + 2 * is_stream);
    // The fourth one goes with the fifth.
    if (is_stream && n == 4) continue;
    send_one(n, both, kept);
    kept = 0;
  }
  if (!is_stream) send_one(0, "end", 3);
  else if (is_socket) shutdown(out, SHUT_WR);
  else close(out);
  pthread_join(receiver, NULL);
  unlink("link");
  return 0;
}
