// Sockets between processes: a pair of which each process has one end, a server in the child, a descriptor that both share, and
// who is at the other end (SO_PEERCRED, SCM_CREDENTIALS).
// sabotage: call close @pair
#include "../probe.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct sockaddr_un server = {.sun_family = AF_UNIX, .sun_path = "server.sock"};

static pid_t peer_of(int fd) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 && credentials.uid == geteuid(), "SO_PEERCRED");
  return credentials.pid;
}
// One byte, and who sent it.
static pid_t receive(int fd, char *byte) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(struct ucred))];
  } control;
  struct iovec part = {byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  CHECK(recvmsg(fd, &message, 0) == 1, "recvmsg");
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  CHECK(header && header->cmsg_type == SCM_CREDENTIALS, "no credentials came");
  struct ucred sender;
  memcpy(&sender, CMSG_DATA(header), sizeof sender);
  return sender.pid;
}

static int child(int fd, pid_t parent) {
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), on = 1;
  if (bind(listener, (struct sockaddr *)&server, sizeof server) || listen(listener, 5)) return 10;
  if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on)) return 11;
  if (write(fd, "+", 1) != 1) return 12;
  int accepted = accept(listener, NULL, NULL);
  if (accepted < 0 || write(accepted, "hello", 5) != 5) return 13;
  char byte;
  if (receive(fd, &byte) != parent || byte != 'q') return 14;
  if (peer_of(accepted) != parent) return 15;
  if (read(accepted, &byte, 1) != 1 || byte != 'c') return 16;
  int again = accept(listener, NULL, NULL);
  if (again < 0 || peer_of(again) != parent) return 17;
  return write(again, "bye", 3) == 3 ? 7 : 18;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int pair[2], shared[2];
  unlink(server.sun_path);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, shared) == 0, "socketpair");
  probe_note("pair", (uint64_t)pair[0]);
  pid_t parent = getpid(), process = fork();
  if (process == 0) {
    close(pair[0]);
    close(shared[0]);
    _exit(child(pair[1], parent));
  }
  close(pair[1]);
  char text[16] = "";
  CHECK(read(pair[0], text, 1) == 1, "the child does not answer");
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(client, (struct sockaddr *)&server, sizeof server) == 0, "connect");
  CHECK(recv(client, text, 5, MSG_PEEK | MSG_WAITALL) == 5, "hello");
  CHECK(send(shared[0], "one", 3, 0) == 3 && send(shared[1], "two", 3, 0) == 3, "shared");
  pid_t peer = peer_of(client);
  CHECK(peer == process, "SO_PEERCRED says %d instead of %d", peer, process);
  probe_hold();
  CHECK(recv(shared[1], text, 16, MSG_DONTWAIT) == 3 && recv(shared[0], text, 16, MSG_DONTWAIT) == 3, "the shared pair");
  CHECK(peer_of(client) == process, "SO_PEERCRED says %d instead of %d", peer_of(client), process);
  CHECK(read(client, text, 5) == 5 && memcmp(text, "hello", 5) == 0, "data in flight");
  CHECK(write(pair[0], "q", 1) == 1 && write(client, "c", 1) == 1, "write");
  int second = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(second, (struct sockaddr *)&server, sizeof server) == 0, "connect again");
  CHECK(peer_of(second) == process, "SO_PEERCRED of a new connection says %d instead of %d", peer_of(second), process);
  CHECK(recv(second, text, 3, MSG_WAITALL) == 3, "the child does not answer");
  int status = 0;
  CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child gave %x", (unsigned)status);
  return probe_ok();
}
