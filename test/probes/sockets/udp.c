// UDP sockets, IPv4 and IPv6: bound, connected, with datagrams in their queues, whose senders may be gone.
// alone: it has ports of its own
// sabotage: call close @receiver
#include "../probe.h"
#include <netinet/in.h>
#include <sys/socket.h>

static int bound(int family, struct sockaddr_storage *name, socklen_t *length, int any) {
  int fd = socket(family, SOCK_DGRAM, 0);
  if (fd == -1 && family == AF_INET6) SKIP("no IPv6 here");
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(any ? INADDR_ANY : INADDR_LOOPBACK)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  CHECK((family == AF_INET ? bind(fd, (struct sockaddr *)&four, sizeof four) : bind(fd, (struct sockaddr *)&six, sizeof six)) == 0, "bind");
  *length = sizeof *name;
  CHECK(getsockname(fd, (struct sockaddr *)name, length) == 0, "getsockname");
  if (any) ((struct sockaddr_in *)name)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return fd;
}
static void expect(int fd, const char *text, const struct sockaddr_storage *from) {
  char got[64] = "";
  struct sockaddr_storage sender;
  socklen_t length = sizeof sender;
  ssize_t count = recvfrom(fd, got, 63, MSG_DONTWAIT, (struct sockaddr *)&sender, &length);
  CHECK(count == (ssize_t)strlen(text) && strcmp(got, text) == 0, "%zd bytes '%s' instead of '%s'", count, got, text);
  CHECK(memcmp(&sender, from, length) == 0, "'%s' came from somebody else", text);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sockaddr_storage receiver_name, sender_name, gone_name, six_name, client_name;
  socklen_t length, six_length;
  int receiver = bound(AF_INET, &receiver_name, &length, 1), sender = bound(AF_INET, &sender_name, &length, 0), gone = bound(AF_INET, &gone_name, &length, 0);
  int six = bound(AF_INET6, &six_name, &six_length, 0), client = bound(AF_INET6, &client_name, &six_length, 0), fresh = socket(AF_INET, SOCK_DGRAM, 0);
  probe_note("receiver", (uint64_t)receiver);
  CHECK(connect(client, (struct sockaddr *)&six_name, six_length) == 0 && connect(six, (struct sockaddr *)&client_name, six_length) == 0, "connect");
  int on = 1;
  CHECK(setsockopt(fresh, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0, "SO_BROADCAST");
  CHECK(sendto(sender, "one", 3, 0, (struct sockaddr *)&receiver_name, length) == 3, "sendto");
  CHECK(sendto(gone, "two", 3, 0, (struct sockaddr *)&receiver_name, length) == 3 && close(gone) == 0, "sendto");
  CHECK(sendto(sender, "", 0, 0, (struct sockaddr *)&receiver_name, length) == 0, "sendto");
  CHECK(sendto(sender, "three", 5, 0, (struct sockaddr *)&receiver_name, length) == 5, "sendto");
  CHECK(send(client, "six", 3, 0) == 3 && send(six, "back", 4, 0) == 4, "send");
  probe_hold();
  expect(receiver, "one", &sender_name);
  expect(receiver, "two", &gone_name);
  expect(receiver, "", &sender_name);
  expect(receiver, "three", &sender_name);
  expect(six, "six", &client_name);
  expect(client, "back", &six_name);
  CHECK(send(client, "more", 4, 0) == 4, "send");
  expect(six, "more", &client_name);
  CHECK(sendto(sender, "x", 1, 0, (struct sockaddr *)&receiver_name, length) == 1, "sendto");
  expect(receiver, "x", &sender_name);
  char byte;
  CHECK(recv(receiver, &byte, 1, MSG_DONTWAIT) == -1, "more came out than went in");
  int value = 0;
  socklen_t size = sizeof value;
  CHECK(getsockopt(fresh, SOL_SOCKET, SO_BROADCAST, &value, &size) == 0 && value == 1, "SO_BROADCAST");
  return probe_ok();
}
