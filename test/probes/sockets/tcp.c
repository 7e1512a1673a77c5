// TCP over IPv4 and IPv6 in one process: data in flight both ways, names, options, a client that waits to be accepted, half-closed
// connections, a peer that was closed.
// alone: it listens at a port
// sabotage: call close @listener
// bits: 64, 32
#include "../probe.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

struct connection {
  int client, server;
  struct sockaddr_storage client_name, server_name;
};

static void name_of(int (*which)(int, struct sockaddr *, socklen_t *), int fd, struct sockaddr_storage *name) {
  socklen_t length = sizeof *name;
  memset(name, 0, sizeof *name);
  CHECK(which(fd, (struct sockaddr *)name, &length) == 0, "descriptor %d has no name", fd);
}
static int listening(int family, struct sockaddr_storage *name) {
  int fd = socket(family, SOCK_STREAM, 0), on = 1;
  if (fd == -1 && family == AF_INET6) SKIP("no IPv6 here");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int bound = family == AF_INET ? bind(fd, (struct sockaddr *)&four, sizeof four) : bind(fd, (struct sockaddr *)&six, sizeof six);
  CHECK(bound == 0 && listen(fd, 7) == 0, "listen");
  name_of(getsockname, fd, name);
  return fd;
}
static socklen_t size_of(const struct sockaddr_storage *name) {
  return name->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}
static int connected(const struct sockaddr_storage *name) {
  int fd = socket(name->ss_family, SOCK_STREAM, 0);
  CHECK(connect(fd, (const struct sockaddr *)name, size_of(name)) == 0, "connect");
  return fd;
}
static struct connection make(int listener, const struct sockaddr_storage *name) {
  struct connection made;
  made.client = connected(name);
  made.server = accept(listener, NULL, NULL);
  CHECK(made.server >= 0, "accept");
  name_of(getsockname, made.client, &made.client_name);
  name_of(getsockname, made.server, &made.server_name);
  return made;
}
static void check_names(const struct connection *one, const char *what) {
  struct sockaddr_storage name;
  name_of(getsockname, one->client, &name);
  CHECK(memcmp(&name, &one->client_name, size_of(&name)) == 0, "%s: the client's name", what);
  name_of(getpeername, one->server, &name);
  CHECK(memcmp(&name, &one->client_name, size_of(&name)) == 0, "%s: the client's name at the server", what);
  name_of(getsockname, one->server, &name);
  CHECK(memcmp(&name, &one->server_name, size_of(&name)) == 0, "%s: the server's name", what);
  name_of(getpeername, one->client, &name);
  CHECK(memcmp(&name, &one->server_name, size_of(&name)) == 0, "%s: the server's name at the client", what);
}
static void expect(int fd, const char *text, const char *what) {
  char got[64] = "";
  CHECK(recv(fd, got, strlen(text), MSG_WAITALL) == (ssize_t)strlen(text) && strcmp(got, text) == 0, "%s: '%s' instead of '%s'", what, got, text);
}
static void talk(const struct connection *one, const char *what) {
  CHECK(write(one->client, "to server", 9) == 9 && write(one->server, "to client", 9) == 9, "%s: write", what);
  expect(one->client, "to client", what);
  expect(one->server, "to server", what);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sockaddr_storage four, six;
  int listener4 = listening(AF_INET, &four), listener6 = listening(AF_INET6, &six);
  probe_note("listener", (uint64_t)listener4);
  struct connection one = make(listener4, &four), two = make(listener6, &six), half = make(listener4, &four), orphan = make(listener4, &four);
  int waiting = connected(&four), on = 1, idle = 77, size = 30000, sized = 0;
  socklen_t length = sizeof sized;
  CHECK(setsockopt(one.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 && setsockopt(one.server, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0, "options");
  CHECK(setsockopt(one.server, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) == 0 && setsockopt(two.server, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0, "options");
  CHECK(getsockopt(two.server, SOL_SOCKET, SO_SNDBUF, &sized, &length) == 0, "SO_SNDBUF");
  fcntl(two.client, F_SETFL, O_NONBLOCK);
  CHECK(write(one.client, "abc", 3) == 3 && write(one.client, "def", 3) == 3 && write(one.server, "xyz", 3) == 3, "write");
  CHECK(write(two.client, "six", 3) == 3, "write");
  CHECK(write(half.client, "last", 4) == 4 && shutdown(half.client, SHUT_WR) == 0 && write(half.server, "open", 4) == 4, "half-closed");
  CHECK(write(orphan.client, "legacy", 6) == 6 && close(orphan.client) == 0, "orphan");
  probe_hold();
  check_names(&one, "IPv4");
  check_names(&two, "IPv6");
  int value = 0;
  length = sizeof value;
  CHECK(getsockopt(one.client, IPPROTO_TCP, TCP_NODELAY, &value, &length) == 0 && value != 0, "TCP_NODELAY");
  CHECK(getsockopt(one.server, IPPROTO_TCP, TCP_KEEPIDLE, &value, &length) == 0 && value == 77, "TCP_KEEPIDLE");
  CHECK(getsockopt(two.server, SOL_SOCKET, SO_SNDBUF, &value, &length) == 0 && value == sized, "SO_SNDBUF is %d, was %d", value, sized);
  CHECK(getsockopt(one.client, SOL_SOCKET, SO_REUSEADDR, &value, &length) == 0 && value == 0, "SO_REUSEADDR came from nowhere");
  CHECK((fcntl(two.client, F_GETFL) & O_NONBLOCK) && !(fcntl(two.server, F_GETFL) & O_NONBLOCK), "O_NONBLOCK");
  expect(one.server, "abcdef", "IPv4");
  expect(one.client, "xyz", "IPv4, the other way");
  expect(two.server, "six", "IPv6");
  fcntl(two.client, F_SETFL, 0);
  talk(&one, "IPv4");
  talk(&two, "IPv6");
  signal(SIGPIPE, SIG_IGN);
  char text[16];
  CHECK(write(half.client, "x", 1) == -1 && errno == EPIPE, "writing is still possible");
  expect(half.server, "last", "half-closed");
  CHECK(recv(half.server, text, 16, 0) == 0 && write(half.server, "more", 4) == 4, "the end of the stream");
  expect(half.client, "openmore", "the open direction");
  expect(orphan.server, "legacy", "what a closed peer left");
  CHECK(recv(orphan.server, text, 16, 0) == 0, "the end after it");
  int accepted = accept(listener4, NULL, NULL);
  CHECK(accepted >= 0 && write(waiting, "now", 3) == 3, "the client that waited");
  expect(accepted, "now", "the client that waited");
  struct connection fresh = make(listener6, &six);
  talk(&fresh, "a new connection");
  // An orderly end from the client's side first, so that the server's port is free again.
  close(waiting), close(one.client), close(two.client), close(half.client), close(fresh.client);
  return probe_ok();
}
