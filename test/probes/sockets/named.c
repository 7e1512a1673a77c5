// Unix sockets with names: a listening one in a folder and an abstract one, connections to them, a client that waits to be accepted,
// datagrams that wait with their senders' names, a name that was removed.
// alone: it has names that are no paths
// sabotage: call close @listener
#include "../probe.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t name(struct sockaddr_un *address, const char *text) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (text[0] != '@') {
    strcpy(address->sun_path, text);
    return sizeof *address;
  }
  snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "cairn-probe-%s-%d", text + 1, (int)getpid());
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address->sun_path + 1));
}
static void check_name(int (*which)(int, struct sockaddr *, socklen_t *), int fd, const char *text, const char *what) {
  struct sockaddr_un wanted, got = {0};
  name(&wanted, text);
  socklen_t length = sizeof got;
  CHECK(which(fd, (struct sockaddr *)&got, &length) == 0, "%s has no name", what);
  CHECK(memcmp(wanted.sun_path, got.sun_path, strlen(wanted.sun_path + 1) + 1) == 0, "%s is '%s%s' instead of '%s%s'", what, got.sun_path[0] ? "" : "@",
        got.sun_path[0] ? got.sun_path : got.sun_path + 1, wanted.sun_path[0] ? "" : "@", wanted.sun_path[0] ? wanted.sun_path : wanted.sun_path + 1);
}
static int bound(int type, const char *text) {
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, type, 0);
  socklen_t length = name(&address, text);
  unlink(address.sun_path);
  CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0, "bind %s", text);
  return fd;
}
static int connected(int type, const char *text) {
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, type, 0);
  socklen_t length = name(&address, text);
  CHECK(connect(fd, (struct sockaddr *)&address, length) == 0, "connect to %s", text);
  return fd;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char whole[100], folder[4096];
  CHECK(getcwd(folder, sizeof folder), "getcwd");
  snprintf(whole, sizeof whole, "%s", strlen(folder) < 80 ? strcat(folder, "/whole.sock") : "other.sock");
  int here = bound(SOCK_STREAM, "stream.sock"), abstract = bound(SOCK_SEQPACKET, "@packets"), absolute = bound(SOCK_STREAM, whole);
  probe_note("listener", (uint64_t)here);
  CHECK(listen(here, 5) == 0 && listen(abstract, 5) == 0 && listen(absolute, 5) == 0, "listen");
  int one = connected(SOCK_STREAM, "stream.sock"), one_end = accept(here, NULL, NULL);
  int two = connected(SOCK_SEQPACKET, "@packets"), two_end = accept(abstract, NULL, NULL);
  int three = connected(SOCK_STREAM, whole), three_end = accept(absolute, NULL, NULL);
  int waiting = connected(SOCK_STREAM, "stream.sock");
  CHECK(write(one, "from one", 8) == 8 && write(two_end, "to two", 6) == 6, "data");
  int receiver = bound(SOCK_DGRAM, "receiver.sock"), sender = bound(SOCK_DGRAM, "@sender"), quiet = connected(SOCK_DGRAM, "receiver.sock");
  int gone = bound(SOCK_DGRAM, "gone.sock");
  struct sockaddr_un address;
  socklen_t length = name(&address, "receiver.sock");
  CHECK(sendto(sender, "from sender", 11, 0, (struct sockaddr *)&address, length) == 11, "sendto");
  CHECK(sendto(gone, "from gone", 9, 0, (struct sockaddr *)&address, length) == 9 && close(gone) == 0, "sendto");
  CHECK(send(quiet, "from nobody", 11, 0) == 11, "send");
  CHECK(unlink("gone.sock") == 0, "unlink");
  struct sockaddr_un automatic = {.sun_family = AF_UNIX}, again = {0};
  int anonymous = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK(bind(anonymous, (struct sockaddr *)&automatic, sizeof(sa_family_t)) == 0, "autobind");
  socklen_t automatic_length = sizeof automatic, again_length = sizeof again;
  CHECK(getsockname(anonymous, (struct sockaddr *)&automatic, &automatic_length) == 0 && automatic_length > 3, "autobind gives no name");
  probe_hold();
  check_name(getsockname, here, "stream.sock", "a listening socket");
  check_name(getsockname, absolute, whole, "a listening socket by its whole path");
  check_name(getsockname, one_end, "stream.sock", "an accepted socket");
  check_name(getpeername, one, "stream.sock", "the peer of a client");
  check_name(getpeername, two, "@packets", "the peer of an abstract client");
  check_name(getsockname, three_end, whole, "an accepted socket");
  check_name(getpeername, quiet, "receiver.sock", "the peer of a datagram socket");
  CHECK(getsockname(anonymous, (struct sockaddr *)&again, &again_length) == 0 && again_length == automatic_length && memcmp(&again, &automatic, again_length) == 0,
        "the automatic name");
  char text[32];
  CHECK(recv(one_end, text, 32, MSG_DONTWAIT) == 8 && recv(two, text, 32, MSG_DONTWAIT) == 6 && memcmp(text, "to two", 6) == 0, "data in flight");
  length = sizeof address;
  CHECK(recvfrom(receiver, text, 32, MSG_DONTWAIT, (struct sockaddr *)&address, &length) == 11 && memcmp(text, "from sender", 11) == 0, "first datagram");
  struct sockaddr_un wanted;
  name(&wanted, "@sender");
  CHECK(memcmp(wanted.sun_path, address.sun_path, 20) == 0, "the sender's name");
  length = sizeof address;
  CHECK(recvfrom(receiver, text, 32, MSG_DONTWAIT, (struct sockaddr *)&address, &length) == 9 && memcmp(text, "from gone", 9) == 0, "second datagram");
  CHECK(strcmp(address.sun_path, "gone.sock") == 0, "the name of a sender that is gone is '%s'", address.sun_path);
  length = sizeof address;
  CHECK(recvfrom(receiver, text, 32, MSG_DONTWAIT, (struct sockaddr *)&address, &length) == 11 && memcmp(text, "from nobody", 11) == 0 && length <= 2, "third datagram");
  int accepted = accept4(here, NULL, NULL, SOCK_NONBLOCK);
  CHECK(accepted >= 0 && write(waiting, "now", 3) == 3 && read(accepted, text, 3) == 3, "the client that waited");
  int fresh = connected(SOCK_STREAM, "stream.sock"), fresh_end = accept(here, NULL, NULL);
  CHECK(write(fresh, "new", 3) == 3 && read(fresh_end, text, 3) == 3, "a new connection by the path");
  fresh = connected(SOCK_STREAM, whole);
  CHECK(accept(absolute, NULL, NULL) >= 0, "a new connection by the whole path");
  CHECK(send(quiet, "again", 5, 0) == 5 && recv(receiver, text, 32, MSG_DONTWAIT) == 5, "a connected datagram socket");
  CHECK(write(three, "x", 1) == 1 && read(three_end, text, 1) == 1, "the third connection");
  CHECK(access("gone.sock", F_OK) == -1, "a removed name is there again");
  int rebound = bound(SOCK_DGRAM, "receiver.sock");
  check_name(getsockname, rebound, "receiver.sock", "a socket bound again");
  return probe_ok();
}
