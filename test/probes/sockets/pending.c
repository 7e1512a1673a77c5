// Connections that were not accepted yet and in which there is data already: TCP over IPv4 and IPv6, Unix streams and packets, by a path and
// by an abstract name. Each listening socket has a queue of clients: one that has sent, one that has not, one that has closed its side for
// sending, one that is gone, and one that has sent a lot. All are accepted in their order, with all that they sent; their own descriptors,
// which epoll waits for and which have a second number, are the other ends.
// sabotage: call close @listener
#include "../probe.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { kinds = 5, length_of_much = 50000 };
struct kind {
  const char *text;
  int family, type, listener, first, second, silent, half, much, epoll, port;
  struct sockaddr_storage name;
  socklen_t length;
};

static char much[length_of_much];

static void listen_at(struct kind *kind, const char *path) {
  struct sockaddr_in *four = (struct sockaddr_in *)&kind->name;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)&kind->name;
  struct sockaddr_un *name = (struct sockaddr_un *)&kind->name;
  kind->length = sizeof kind->name;
  kind->name.ss_family = (sa_family_t)kind->family;
  kind->listener = socket(kind->family, kind->type, 0);
  if (kind->family == AF_UNIX) {
    kind->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    strcpy(name->sun_path, path);
    if (path[0] == '@') {
      snprintf(name->sun_path + 1, 60, "cairn-probe-pending-%d", getpid());
      name->sun_path[0] = 0;
      kind->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name->sun_path + 1));
    } else {
      unlink(path);
    }
  } else if (kind->family == AF_INET) {
    kind->length = sizeof *four;
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    kind->length = sizeof *six;
    six->sin6_addr = in6addr_loopback;
  }
  CHECK(bind(kind->listener, (struct sockaddr *)&kind->name, kind->length) == 0 && listen(kind->listener, 16) == 0, "%s: listen", kind->text);
  CHECK(getsockname(kind->listener, (struct sockaddr *)&kind->name, &kind->length) == 0, "getsockname");
}

static int port_of(int fd) {
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  CHECK(getsockname(fd, (struct sockaddr *)&name, &length) == 0, "getsockname");
  return name.ss_family == AF_UNIX ? 0 : ntohs(((struct sockaddr_in *)&name)->sin_port);
}

static int client(struct kind *kind, const char *text) {
  int fd = socket(kind->family, kind->type, 0);
  CHECK(connect(fd, (struct sockaddr *)&kind->name, kind->length) == 0, "%s: connect", kind->text);
  if (text[0]) CHECK(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text), "%s: send", kind->text);
  return fd;
}

static void send_much(int fd, int type) {
  for (size_t done = 0; done < sizeof much;) {
    size_t part = type == SOCK_SEQPACKET && sizeof much - done > 10000 ? 10000 : sizeof much - done;
    ssize_t count = send(fd, much + done, part, 0);
    CHECK(count > 0, "send");
    done += (size_t)count;
  }
}

static void set_up(struct kind *kind, const char *path) {
  int on = 1;
  listen_at(kind, path);
  kind->first = client(kind, "first");
  kind->silent = client(kind, "");
  kind->half = client(kind, "half");
  CHECK(shutdown(kind->half, SHUT_WR) == 0, "shutdown");
  CHECK(close(client(kind, "gone")) == 0, "close");
  kind->much = client(kind, "");
  send_much(kind->much, kind->type);
  kind->port = port_of(kind->first);
  CHECK((kind->second = dup(kind->first)) >= 0 && fcntl(kind->first, F_SETFL, O_RDWR | O_NONBLOCK) == 0, "dup");
  if (kind->family != AF_UNIX) CHECK(setsockopt(kind->first, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
  CHECK(fcntl(kind->second, F_SETFD, FD_CLOEXEC) == 0, "F_SETFD");
  kind->epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 4711}, listening = {.events = EPOLLIN, .data.u64 = 4712};
  CHECK(epoll_ctl(kind->epoll, EPOLL_CTL_ADD, kind->first, &event) == 0 && epoll_ctl(kind->epoll, EPOLL_CTL_ADD, kind->listener, &listening) == 0, "epoll");
}

static int accept_next(struct kind *kind, const char *wanted) {
  char text[64] = "";
  struct pollfd poll_listener = {kind->listener, POLLIN, 0};
  CHECK(poll(&poll_listener, 1, 2000) == 1 && poll_listener.revents == POLLIN, "%s: the listening socket has nobody for %s", kind->text, wanted);
  int fd = accept(kind->listener, NULL, NULL);
  CHECK(fd >= 0, "%s: accept for %s", kind->text, wanted);
  if (wanted[0]) {
    ssize_t count = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    CHECK(count == (ssize_t)strlen(wanted) && strcmp(text, wanted) == 0, "%s: %s (%zd) instead of %s", kind->text, text, count, wanted);
  }
  return fd;
}

static void receive_much(struct kind *kind, int fd) {
  static char came[length_of_much + 1];
  size_t done = 0;
  for (ssize_t count; done < sizeof much && (count = recv(fd, came + done, sizeof came - done, 0)) > 0;) {
    CHECK(kind->type != SOCK_SEQPACKET || count == 10000, "%s: a packet of %zd", kind->text, count);
    done += (size_t)count;
  }
  CHECK(done == sizeof much && memcmp(came, much, sizeof much) == 0, "%s: %zu of %zu bytes", kind->text, done, sizeof much);
}

static void exchange(struct kind *kind, int accepted, int fd, const char *text) {
  char came[32] = "";
  CHECK(send(accepted, text, strlen(text), 0) == (ssize_t)strlen(text), "%s: answer", kind->text);
  struct pollfd wait = {fd, POLLIN, 0};
  CHECK(poll(&wait, 1, 2000) == 1, "%s: no answer comes", kind->text);
  CHECK(recv(fd, came, sizeof came - 1, MSG_DONTWAIT) == (ssize_t)strlen(text) && strcmp(came, text) == 0, "%s: %s instead of %s", kind->text, came, text);
}

static void check(struct kind *kind) {
  char byte;
  struct epoll_event events[4];
  int value = 0;
  socklen_t size = sizeof value;
  CHECK(epoll_wait(kind->epoll, events, 4, 0) == 1 && events[0].data.u64 == 4712, "%s: epoll has another event than the listening socket's", kind->text);
  CHECK(port_of(kind->first) == kind->port, "%s: another port", kind->text);
  CHECK(fcntl(kind->first, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(kind->second, F_GETFD) == FD_CLOEXEC && fcntl(kind->first, F_GETFD) == 0, "%s: flags", kind->text);
  if (kind->family != AF_UNIX) CHECK(getsockopt(kind->first, IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0 && value != 0, "%s: TCP_NODELAY", kind->text);
  CHECK(getsockopt(kind->first, SOL_SOCKET, SO_REUSEADDR, &value, &size) == 0 && value == 0, "%s: SO_REUSEADDR", kind->text);
  int first = accept_next(kind, "first"), silent = accept_next(kind, ""), half = accept_next(kind, "half"), gone = accept_next(kind, "gone"), last = accept_next(kind, "");
  CHECK(send(first, "to first", 8, 0) == 8 && epoll_wait(kind->epoll, events, 4, 2000) == 1 && events[0].data.u64 == 4711, "%s: epoll does not see the answer", kind->text);
  CHECK(recv(kind->second, &byte, 1, 0) == 1 && byte == 't', "%s: the second number", kind->text);
  CHECK(recv(silent, &byte, 1, MSG_DONTWAIT) == -1, "%s: something from who was silent", kind->text);
  exchange(kind, silent, kind->silent, "to silent");
  exchange(kind, kind->silent, silent, "from silent");
  CHECK(recv(half, &byte, 1, 0) == 0, "%s: no end of the half-closed one", kind->text);
  exchange(kind, half, kind->half, "to half");
  CHECK(recv(gone, &byte, 1, 0) == 0, "%s: no end of the one that is gone", kind->text);
  receive_much(kind, last);
  exchange(kind, last, kind->much, "to last");
  exchange(kind, kind->much, last, "from last");
  CHECK(close(kind->silent) == 0 && recv(silent, &byte, 1, 0) == 0, "%s: no end after close", kind->text);
  CHECK(accept4(kind->listener, NULL, NULL, SOCK_NONBLOCK) == -1, "%s: more than were there", kind->text);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static struct kind all[kinds] = {
      {.text = "IPv4", .family = AF_INET, .type = SOCK_STREAM},
      {.text = "IPv6", .family = AF_INET6, .type = SOCK_STREAM},
      {.text = "Unix", .family = AF_UNIX, .type = SOCK_STREAM},
      {.text = "packets", .family = AF_UNIX, .type = SOCK_SEQPACKET},
      {.text = "abstract", .family = AF_UNIX, .type = SOCK_STREAM},
  };
  static const char *const paths[kinds] = {"", "", "pending.stream", "pending.packets", "@"};
  probe_fill(much, sizeof much, 7);
  for (int i = 0; i < kinds; i++) {
    set_up(&all[i], paths[i]);
    CHECK(fcntl(all[i].listener, F_SETFL, O_RDWR | O_NONBLOCK) == 0, "F_SETFL");
  }
  probe_note("listener", (uint64_t)all[0].listener);
  probe_hold();
  for (int i = 0; i < kinds; i++) check(&all[i]);
  return probe_ok();
}
