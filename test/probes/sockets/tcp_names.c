// Addresses of TCP connections whose listening sockets are closed, of IPv4 over a socket of IPv6 too, seen by getsockname,
// getpeername and by a child. test/probes/beside.test.ts restarts it while the first run still has the ports.
// sabotage: call dup2 @one @other
#include "../probe.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct end {
  int fd;
  struct sockaddr_storage local, peer;
};

static void names(int fd, struct end *end) {
  memset(end, 0, sizeof *end);
  end->fd = fd;
  socklen_t length = sizeof end->local;
  CHECK(getsockname(fd, (struct sockaddr *)&end->local, &length) == 0, "getsockname");
  length = sizeof end->peer;
  CHECK(getpeername(fd, (struct sockaddr *)&end->peer, &length) == 0, "getpeername");
}
static void connection(int family, struct end ends[2]) {
  int listener = socket(family, SOCK_STREAM, 0), off = 0;
  if (listener == -1) SKIP("no IPv6 here");
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  if (family == AF_INET6) {
    CHECK(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0, "IPV6_V6ONLY");
    CHECK(bind(listener, (struct sockaddr *)&six, sizeof six) == 0, "bind");
    socklen_t length = sizeof six;
    CHECK(getsockname(listener, (struct sockaddr *)&six, &length) == 0, "getsockname");
    four.sin_port = six.sin6_port;
  } else {
    CHECK(bind(listener, (struct sockaddr *)&four, sizeof four) == 0, "bind");
    socklen_t length = sizeof four;
    CHECK(getsockname(listener, (struct sockaddr *)&four, &length) == 0, "getsockname");
  }
  CHECK(listen(listener, 1) == 0, "listen");
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(client, (struct sockaddr *)&four, sizeof four) == 0, "connect");
  int server = accept(listener, NULL, NULL);
  CHECK(server >= 0, "accept");
  names(client, &ends[0]);
  names(server, &ends[1]);
  close(listener);
}
static int same(const struct end *end) {
  struct end now;
  names(end->fd, &now);
  return memcmp(&now.local, &end->local, sizeof now.local) == 0 && memcmp(&now.peer, &end->peer, sizeof now.peer) == 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct end ends[4];
  connection(AF_INET, &ends[0]);
  connection(AF_INET6, &ends[2]);
  probe_note("one", (uint64_t)ends[0].fd);
  probe_note("other", (uint64_t)ends[2].fd);
  for (int i = 0; i < 4; i++) CHECK(write(ends[i].fd, "before", 6) == 6, "write");
  probe_hold();
  for (int i = 0; i < 4; i++) CHECK(same(&ends[i]), "the names of end %d differ", i);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 4; i++)
      if (!same(&ends[i])) _exit(1);
    _exit(7);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "in a child the names differ");
  for (int i = 0; i < 4; i++) {
    char text[16] = "";
    CHECK(write(ends[i ^ 1].fd, " after", 6) == 6 && recv(ends[i].fd, text, 12, MSG_WAITALL) == 12 && strcmp(text, "before after") == 0, "end %d got '%s'", i, text);
  }
  return probe_ok();
}
