// Messages of no bytes in queues: of packets, datagrams and UDP, several in a row, and before the end of what a half-closed socket receives.
// More than one checkpoint looks at them; in between some queues are read and written, others stay as they are.
// sabotage: call close @packets
// bits: 64, 32
// looks: twice
#include "../probe.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { kinds = 4, stands = 7 };
static int still[kinds][2], moving[kinds][2], half[2], ended[2], named, senders[2];
static int read_by_now, written;

static void udp_pair(int *pair) {
  for (int i = 0; i < 2; i++) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    pair[i] = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(pair[i] >= 0 && bind(pair[i], (struct sockaddr *)&address, sizeof address) == 0, "UDP");
  }
  for (int i = 0; i < 2; i++) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    getsockname(pair[!i], (struct sockaddr *)&address, &size);
    // One end knows only where it sends to.
    if (i == 0) CHECK(connect(pair[i], (struct sockaddr *)&address, size) == 0, "connect");
  }
}
static void make(int kind, int *pair) {
  if (kind == 3) udp_pair(pair);
  else CHECK(socketpair(AF_UNIX, kind == 0 ? SOCK_SEQPACKET : SOCK_DGRAM, 0, pair) == 0, "socketpair");
  int yes = 1;
  if (kind == 2) CHECK(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0, "SO_PASSCRED");
}
// Every second message is empty.
static void put(int fd, int number) {
  char text[16] = "";
  if (number % 2) snprintf(text, sizeof text, "m%d", number);
  CHECK(send(fd, text, strlen(text), MSG_DONTWAIT) == (ssize_t)strlen(text), "send of message %d", number);
}
static void expect(int fd, const char *text, const char *what) {
  char got[16] = "";
  ssize_t count = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
  CHECK(count == (ssize_t)strlen(text) && strcmp(got, text) == 0, "%s: %zd bytes '%s' instead of '%s'", what, count, got, text);
}
static void take(int fd, int number) {
  char text[16] = "", what[32];
  if (number % 2) snprintf(text, sizeof text, "m%d", number);
  snprintf(what, sizeof what, "message %d", number);
  expect(fd, text, what);
}
// A few are read, and as many come.
static void move(void) {
  for (int kind = 0; kind < kinds; kind++)
    for (int i = 0; i < 2; i++) {
      take(moving[kind][1], read_by_now + i);
      put(moving[kind][0], written + i);
    }
  read_by_now += 2;
  written += 2;
}

static const char *const texts[] = {"", "", "a", "", "", "b", ""};

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char got[16];
  for (int kind = 0; kind < kinds; kind++) {
    make(kind, still[kind]);
    make(kind, moving[kind]);
    for (int i = 0; i < stands; i++) CHECK(send(still[kind][0], texts[i], strlen(texts[i]), 0) == (ssize_t)strlen(texts[i]), "send");
    for (written = 0; written < 6; written++) put(moving[kind][0], written);
  }
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, half) == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ended) == 0, "socketpair");
  const char *const before_end[] = {"x", "", "y", ""};
  for (int i = 0; i < 4; i++) send(half[0], before_end[i], strlen(before_end[i]), 0), send(ended[0], before_end[i], strlen(before_end[i]), 0);
  CHECK(shutdown(half[0], SHUT_WR) == 0 && close(ended[0]) == 0, "half-closed");
  struct sockaddr_un name = {AF_UNIX, "receiver.sock"};
  named = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK(bind(named, (struct sockaddr *)&name, sizeof name) == 0, "bind");
  for (int i = 0; i < 2; i++) {
    struct sockaddr_un own = {AF_UNIX, ""};
    snprintf(own.sun_path, sizeof own.sun_path, "sender%d.sock", i);
    senders[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(bind(senders[i], (struct sockaddr *)&own, sizeof own) == 0 && connect(senders[i], (struct sockaddr *)&name, sizeof name) == 0, "a sender");
  }
  CHECK(send(senders[0], "n", 1, 0) == 1 && send(senders[1], "", 0, 0) == 0 && send(senders[0], "o", 1, 0) == 1, "send to a name");
  probe_note("packets", (uint64_t)still[0][0]);
  probe_ready();
  for (long seen = 0; !probe_poll(); probe_sleep_ms(5)) {
    if (probe_size_seen != seen) move();
    seen = probe_size_seen;
  }
  for (int kind = 0; kind < kinds; kind++) {
    for (int i = 0; i < stands; i++) expect(still[kind][1], texts[i], "what stayed in the queue");
    for (int i = read_by_now; i < written; i++) take(moving[kind][1], i);
    CHECK(recv(still[kind][1], got, 1, MSG_DONTWAIT) == -1 && recv(moving[kind][1], got, 1, MSG_DONTWAIT) == -1, "more came out than went in");
    put(still[kind][0], 0);
    take(still[kind][1], 0);
  }
  for (int i = 0; i < 4; i++) expect(half[1], before_end[i], "before the end"), expect(ended[1], before_end[i], "before the end of a closed one");
  CHECK(recv(half[1], got, 1, MSG_DONTWAIT) == 0 && recv(ended[1], got, 1, MSG_DONTWAIT) == 0, "the end");
  expect(named, "n", "the first of a name");
  struct sockaddr_un from = {0, ""};
  socklen_t size = sizeof from;
  CHECK(recvfrom(named, got, 1, MSG_DONTWAIT, (struct sockaddr *)&from, &size) == 0 && strcmp(from.sun_path, "sender1.sock") == 0, "the sender is '%s'", from.sun_path);
  expect(named, "o", "the last of a name");
  return probe_ok();
}
