// Threads that wait on sockets while the checkpoint comes: in accept, recv, recvmsg, sendto, poll, and with a time limit.
// churn: maps
// alone: it listens at a port
// sabotage: call close @pair
#include "../probe.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

static int listener, pair[2], full[2], packets[2], limited[2];
static volatile int done, begun;

static void *accepting(void *argument) {
  __sync_fetch_and_add(&begun, 1);
  int fd = accept(listener, NULL, NULL);
  CHECK(fd >= 0 && write(fd, "welcome", 7) == 7, "accept");
  __sync_fetch_and_add(&done, 1);
  return argument;
}
static void *receiving(void *argument) {
  __sync_fetch_and_add(&begun, 1);
  char text[8];
  CHECK(recv(pair[0], text, 6, MSG_WAITALL) == 6 && memcmp(text, "abcdef", 6) == 0, "recv");
  __sync_fetch_and_add(&done, 1);
  return argument;
}
static void *sending(void *argument) {
  __sync_fetch_and_add(&begun, 1);
  static char block[100000];
  memset(block, 'b', sizeof block);
  // As after any signal, a call that has sent a part returns with that.
  for (ssize_t sent = 0, count; sent < 1000000; sent += count) CHECK((count = send(full[0], block, sizeof block, 0)) > 0, "send");
  __sync_fetch_and_add(&done, 1);
  return argument;
}
static void *polling(void *argument) {
  __sync_fetch_and_add(&begun, 1);
  struct pollfd wait = {packets[0], POLLIN, 0};
  CHECK(poll(&wait, 1, -1) == 1 && wait.revents == POLLIN, "poll");
  char text[8];
  struct iovec part = {text, 8};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  CHECK(recvmsg(packets[0], &message, 0) == 4, "recvmsg");
  __sync_fetch_and_add(&done, 1);
  return argument;
}
static void *limiting(void *argument) {
  __sync_fetch_and_add(&begun, 1);
  char byte;
  CHECK(recv(limited[0], &byte, 1, 0) == 1 && byte == 'l', "recv with SO_RCVTIMEO");
  __sync_fetch_and_add(&done, 1);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int on = 1;
  struct timeval limit = {600, 0};
  listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&name, &length) == 0, "getsockname");
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, full) == 0, "socketpair");
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, limited) == 0, "socketpair");
  CHECK(setsockopt(limited[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "SO_RCVTIMEO");
  probe_note("pair", (uint64_t)pair[1]);
  void *(*bodies[])(void *) = {accepting, receiving, sending, polling, limiting};
  pthread_t threads[5];
  for (int i = 0; i < 5; i++) pthread_create(&threads[i], NULL, bodies[i], NULL);
  WAIT_UNTIL(begun == 5, "only %d threads begin", begun);
  probe_hold();
  CHECK(done == 0, "%d of them ended", done);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  char text[8];
  CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0 && recv(client, text, 7, MSG_WAITALL) == 7, "the one that accepts");
  CHECK(write(pair[1], "abcdef", 6) == 6 && send(packets[1], "poll", 4, 0) == 4 && write(limited[1], "l", 1) == 1, "write");
  static char block[100000];
  for (int i = 0; i < 10; i++) CHECK(recv(full[1], block, sizeof block, MSG_WAITALL) == sizeof block && block[99999] == 'b', "what was sent");
  WAIT_UNTIL(done == 5, "only %d of them end", done);
  for (int i = 0; i < 5; i++) pthread_join(threads[i], NULL);
  return probe_ok();
}
