// socketpair of each type in one process: data in flight both ways, boundaries of messages, non-blocking flag, options.
// sabotage: call close @stream
#include "../probe.h"
#include <sys/socket.h>
#include <sys/time.h>

static int stream[2], packets[2], datagrams[2];

static void expect(int fd, const char *text, const char *what) {
  char got[64] = "";
  ssize_t count = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
  CHECK(count == (ssize_t)strlen(text) && strcmp(got, text) == 0, "%s: %zd bytes '%s' instead of '%s'", what, count, got, text);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, stream) == 0, "stream");
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0, "seqpacket");
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0, "datagram");
  probe_note("stream", (uint64_t)stream[1]);
  int size = 50000, got = 0;
  socklen_t length = sizeof got;
  struct timeval limit = {7, 0}, seen;
  CHECK(setsockopt(stream[0], SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0, "SO_RCVBUF");
  CHECK(getsockopt(stream[0], SOL_SOCKET, SO_RCVBUF, &got, &length) == 0, "SO_RCVBUF");
  CHECK(setsockopt(packets[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "SO_RCVTIMEO");
  fcntl(stream[1], F_SETFL, 0);
  CHECK(write(stream[0], "one ", 4) == 4 && write(stream[0], "two", 3) == 3 && write(stream[1], "back", 4) == 4, "stream data");
  CHECK(send(packets[0], "first", 5, 0) == 5 && send(packets[0], "second", 6, 0) == 6 && send(packets[1], "up", 2, 0) == 2, "packets");
  CHECK(send(datagrams[0], "d1", 2, 0) == 2 && send(datagrams[0], "", 0, 0) == 0 && send(datagrams[0], "d22", 3, 0) == 3, "datagrams");
  static char many[60000];
  memset(many, 'm', sizeof many);
  for (int i = 0; i < 2; i++) CHECK(send(datagrams[1], many, sizeof many, MSG_DONTWAIT) == sizeof many, "a large datagram");
  probe_hold();
  int now = 0;
  length = sizeof now;
  CHECK(getsockopt(stream[0], SOL_SOCKET, SO_RCVBUF, &now, &length) == 0 && now == got, "SO_RCVBUF is %d, was %d", now, got);
  length = sizeof seen;
  CHECK(getsockopt(packets[1], SOL_SOCKET, SO_RCVTIMEO, &seen, &length) == 0 && seen.tv_sec == 7 && seen.tv_usec == 0, "SO_RCVTIMEO");
  CHECK((fcntl(stream[0], F_GETFL) & O_NONBLOCK) && !(fcntl(stream[1], F_GETFL) & O_NONBLOCK), "O_NONBLOCK");
  expect(stream[1], "one two", "stream");
  expect(stream[0], "back", "stream, the other way");
  expect(packets[1], "first", "first packet");
  expect(packets[1], "second", "second packet");
  expect(packets[0], "up", "packet, the other way");
  expect(datagrams[1], "d1", "datagram");
  expect(datagrams[1], "", "empty datagram");
  expect(datagrams[1], "d22", "datagram");
  for (int i = 0; i < 2; i++) CHECK(recv(datagrams[0], many, sizeof many, MSG_DONTWAIT) == sizeof many && many[59999] == 'm', "a large datagram");
  for (int i = 0; i < 2; i++) {
    CHECK(write(stream[i], "more", 4) == 4 && write(packets[i], "more", 4) == 4 && write(datagrams[i], "more", 4) == 4, "it goes on");
    expect(stream[!i], "more", "stream goes on");
    expect(packets[!i], "more", "packets go on");
    expect(datagrams[!i], "more", "datagrams go on");
  }
  CHECK(recv(stream[1], many, 1, MSG_DONTWAIT) == -1 && recv(packets[1], many, 1, MSG_DONTWAIT) == -1, "more came out than went in");
  return probe_ok();
}
