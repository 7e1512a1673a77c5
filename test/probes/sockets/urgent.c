// Urgent data of TCP, read and not, before and at its place, in the stream and beside it, with more behind it.
// sabotage: call close @first
#include "../probe.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void connect_pair(int *client, int *server) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&name, length) == 0 && listen(listener, 1) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&name, &length) == 0, "getsockname");
  *client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(*client, (struct sockaddr *)&name, length) == 0, "connect");
  *server = accept(listener, NULL, NULL);
  CHECK(*server >= 0 && close(listener) == 0, "accept");
}

static int has_priority(int fd) {
  struct pollfd poll_fd = {fd, POLLPRI, 0};
  return poll(&poll_fd, 1, 0) == 1;
}

static void expect(int fd, const char *text, const char *what) {
  char got[32] = "";
  ssize_t count = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
  CHECK(count == (ssize_t)strlen(text) && memcmp(got, text, strlen(text)) == 0, "%s: %s instead of %s", what, got, text);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int client[5], server[5], on = 1;
  for (int i = 0; i < 5; i++) connect_pair(&client[i], &server[i]);
  probe_note("first", (uint64_t)server[0]);
  CHECK(setsockopt(server[2], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) == 0, "SO_OOBINLINE");
  CHECK(setsockopt(server[3], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) == 0, "SO_OOBINLINE");
  for (int i = 0; i < 5; i++) {
    if (i != 3 && i != 4) CHECK(send(client[i], "before", 6, 0) == 6, "send");
    CHECK(send(client[i], "!", 1, MSG_OOB) == 1 && send(client[i], "after", 5, 0) == 5, "send");
    WAIT_UNTIL(has_priority(server[i]), "no urgent data comes");
    // All of it.
    WAIT_UNTIL(({ int left; ioctl(client[i], TIOCOUTQ, &left) == 0 && left == 0; }), "not all comes");
  }
  char byte = 0;
  CHECK(recv(server[1], &byte, 1, MSG_OOB) == 1 && byte == '!', "the second's urgent byte");
  probe_hold();
  CHECK(has_priority(server[0]) && recv(server[0], &byte, 1, MSG_OOB) == 1 && byte == '!', "the first's urgent byte");
  expect(server[0], "before", "the first");
  CHECK(sockatmark(server[0]) == 1, "the first's place");
  expect(server[0], "after", "the first");
  CHECK(recv(server[1], &byte, 1, MSG_OOB) == -1 && errno == EINVAL, "the second's urgent byte is there again");
  expect(server[1], "before", "the second");
  CHECK(sockatmark(server[1]) == 1, "the second's place");
  expect(server[1], "after", "the second");
  expect(server[2], "before", "in the stream");
  CHECK(sockatmark(server[2]) == 1, "the place in the stream");
  expect(server[2], "!after", "in the stream");
  CHECK(sockatmark(server[3]) == 1, "the place at the beginning");
  expect(server[3], "!after", "at the beginning of the stream");
  CHECK(sockatmark(server[4]) == 1 && recv(server[4], &byte, 1, MSG_OOB) == 1 && byte == '!', "at the beginning");
  expect(server[4], "after", "at the beginning");
  for (int i = 0; i < 5; i++) {
    CHECK(send(client[i], "on", 2, 0) == 2, "send");
    struct pollfd poll_fd = {server[i], POLLIN, 0};
    CHECK(poll(&poll_fd, 1, 5000) == 1, "nothing comes");
    expect(server[i], "on", "afterwards");
  }
  return probe_ok();
}
