// Connections that were not accepted yet, of Unix clients that have names of their own: by a path and abstract, streams and packets; and of more
// clients than one would count. All are accepted in their order, under their names, with what they sent; the names' files are as they were.
// sabotage: call close @listener
// alone: an abstract name is there once on a host
#include "../probe.h"
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { KINDS = 2, NAMED = 3, CROWD = 300 };
static const int types[KINDS] = {SOCK_STREAM, SOCK_SEQPACKET};
static int listeners[KINDS], clients[KINDS][NAMED], crowd[CROWD];
static struct sockaddr_un places[KINDS], names[KINDS][NAMED];
static socklen_t lengths[KINDS][NAMED];

static socklen_t name_of(struct sockaddr_un *name, const char *format, int number) {
  memset(name, 0, sizeof *name);
  name->sun_family = AF_UNIX;
  int length = snprintf(name->sun_path, sizeof name->sun_path, format, number);
  if (name->sun_path[0] != '@') return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length + 1);
  name->sun_path[0] = 0;
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct rlimit files = {4096, 4096};
  struct stat status;
  char text[64], came[64];
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 1024) SKIP("too few descriptors");
  for (int kind = 0; kind < KINDS; kind++) {
    listeners[kind] = socket(AF_UNIX, types[kind], 0);
    socklen_t length = name_of(&places[kind], "server.%d", kind);
    CHECK(bind(listeners[kind], (struct sockaddr *)&places[kind], length) == 0 && listen(listeners[kind], 1000) == 0, "listen");
    for (int i = 0; i < NAMED; i++) {
      clients[kind][i] = socket(AF_UNIX, types[kind], 0);
      snprintf(text, sizeof text, i == 2 ? "@cairn-probe-named-%d-%%d" : "client.%d.%%d", i == 2 ? (int)getpid() : i);
      lengths[kind][i] = name_of(&names[kind][i], text, kind);
      CHECK(bind(clients[kind][i], (struct sockaddr *)&names[kind][i], lengths[kind][i]) == 0, "bind of a client");
      if (i == 0) CHECK(chmod(names[kind][i].sun_path, 0640) == 0, "chmod");
      CHECK(connect(clients[kind][i], (struct sockaddr *)&places[kind], length) == 0, "connect");
      snprintf(text, sizeof text, "from %d", i);
      CHECK(send(clients[kind][i], text, strlen(text), 0) == (ssize_t)strlen(text), "send");
    }
    for (int i = 0; kind == 0 && i < CROWD; i++) {
      crowd[i] = socket(AF_UNIX, types[kind], 0);
      CHECK(connect(crowd[i], (struct sockaddr *)&places[kind], length) == 0, "connect of client %d", i);
      CHECK(send(crowd[i], &i, sizeof i, 0) == sizeof i, "send");
    }
  }
  probe_note("listener", (uint64_t)listeners[0]);
  probe_hold();
  for (int kind = 0; kind < KINDS; kind++) {
    for (int i = 0; i < NAMED; i++) {
      struct sockaddr_un name;
      socklen_t length = sizeof name;
      memset(&name, 0, sizeof name);
      int fd = accept(listeners[kind], (struct sockaddr *)&name, &length);
      CHECK(fd >= 0, "accept");
      CHECK(length == lengths[kind][i] && memcmp(&name, &names[kind][i], length) == 0, "kind %d: client %d has the name %s%s", kind, i, name.sun_path, name.sun_path + 1);
      snprintf(text, sizeof text, "from %d", i);
      ssize_t count = recv(fd, came, sizeof came, 0);
      CHECK(count == (ssize_t)strlen(text) && memcmp(came, text, (size_t)count) == 0, "kind %d: client %d sent something else", kind, i);
      length = sizeof name;
      CHECK(getsockname(clients[kind][i], (struct sockaddr *)&name, &length) == 0 && length == lengths[kind][i] && memcmp(&name, &names[kind][i], length) == 0, "kind %d: client %d has another name itself", kind, i);
      if (i < 2) CHECK(stat(names[kind][i].sun_path, &status) == 0 && S_ISSOCK(status.st_mode), "kind %d: the file of client %d", kind, i);
      if (i == 0) CHECK((status.st_mode & 07777) == 0640, "its mode is %o", status.st_mode & 07777);
      CHECK(send(fd, "answer", 6, 0) == 6 && recv(clients[kind][i], came, sizeof came, 0) == 6, "kind %d: client %d gets no answer", kind, i);
      close(fd);
    }
    for (int i = 0; kind == 0 && i < CROWD; i++) {
      int fd = accept(listeners[kind], NULL, NULL), number = -1;
      CHECK(fd >= 0 && recv(fd, &number, sizeof number, 0) == sizeof number && number == i, "client %d is number %d", i, number);
      CHECK(send(fd, "a", 1, 0) == 1 && recv(crowd[i], came, 1, 0) == 1, "client %d gets no answer", i);
      close(fd);
    }
  }
  return probe_ok();
}
