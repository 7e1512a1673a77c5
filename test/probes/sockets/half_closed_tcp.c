// TCP connections whose one end was closed for sending, or closed, with data still unread at the other one, and with none; nothing
// of it is urgent.
// sabotage: call close @half
#include "../probe.h"
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int listener;
static struct sockaddr_in name = {.sin_family = AF_INET};

static void connect_both(int *ends) {
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(ends[0], (struct sockaddr *)&name, sizeof name) == 0 && (ends[1] = accept(listener, NULL, NULL)) >= 0, "connect");
}

static int urgent_byte(int fd) {
  char byte;
  return (int)recv(fd, &byte, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT);
}

static int bytes_of(int fd) {
  int bytes = -1;
  ioctl(fd, FIONREAD, &bytes);
  return bytes;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int half[2], accepted[2], empty[2], closed[2];
  socklen_t length = sizeof name;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 4) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&name, &length) == 0, "getsockname");
  connect_both(half);
  connect_both(accepted);
  connect_both(empty);
  connect_both(closed);
  probe_note("half", (uint64_t)half[1]);
  CHECK(send(half[0], "last", 4, 0) == 4 && shutdown(half[0], SHUT_WR) == 0, "half");
  CHECK(send(accepted[1], "end", 3, 0) == 3 && shutdown(accepted[1], SHUT_WR) == 0, "accepted");
  CHECK(shutdown(empty[0], SHUT_WR) == 0, "empty");
  CHECK(send(closed[0], "legacy", 6, 0) == 6 && close(closed[0]) == 0, "closed");
  probe_hold();
  char text[16];
  int marks[] = {half[1], accepted[0], empty[1], closed[1]};
  for (int i = 0; i < 4; i++) CHECK(urgent_byte(marks[i]) == -1 && errno == EINVAL && bytes_of(marks[i]) == (i == 0 ? 4 : i == 1 ? 3 : i == 2 ? 0 : 6), "%d has urgent data, or %d bytes", i, bytes_of(marks[i]));
  CHECK(recv(half[1], text, 16, MSG_WAITALL) == 4 && memcmp(text, "last", 4) == 0 && sockatmark(half[1]) == 0 && recv(half[1], text, 16, 0) == 0, "half");
  CHECK(send(half[1], "still", 5, 0) == 5 && recv(half[0], text, 5, MSG_WAITALL) == 5, "the open direction");
  CHECK(recv(accepted[0], text, 16, MSG_WAITALL) == 3 && memcmp(text, "end", 3) == 0 && recv(accepted[0], text, 16, 0) == 0, "accepted");
  CHECK(recv(empty[1], text, 16, 0) == 0 && send(empty[1], "open", 4, 0) == 4 && recv(empty[0], text, 4, MSG_WAITALL) == 4, "empty");
  CHECK(recv(closed[1], text, 16, MSG_WAITALL) == 6 && memcmp(text, "legacy", 6) == 0 && recv(closed[1], text, 16, 0) == 0, "closed");
  return probe_ok();
}
