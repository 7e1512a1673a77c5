// A server that accepts nobody yet, and clients in processes of their own that have sent their request and wait for the answer: each of
// another kind, in recv, poll or epoll; one that two processes have; one with a descriptor on the way. The server then serves them in the order in
// which they came; those by Unix sockets are known by their process.
// other user: not the same user
// sabotage: call close @listener
#include "../probe.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { clients = 6 };
static struct sockaddr_in tcp_name = {.sin_family = AF_INET};
static struct sockaddr_un unix_name = {AF_UNIX, "pending.processes"};
static int ready[2];

static int connect_to(int family) {
  int fd = socket(family, SOCK_STREAM, 0);
  int error = family == AF_INET ? connect(fd, (struct sockaddr *)&tcp_name, sizeof tcp_name) : connect(fd, (struct sockaddr *)&unix_name, sizeof unix_name);
  CHECK(error == 0, "connect");
  return fd;
}

static void pass(int fd, const char *text, int passed) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
  struct iovec part = {(char *)text, strlen(text)};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  CHECK(sendmsg(fd, &message, 0) == (ssize_t)strlen(text), "sendmsg");
}

static int run(int which, int family) {
  char text[32], answer[32] = "", wanted[32];
  int fd = connect_to(family), ends[2] = {-1, -1};
  snprintf(text, sizeof text, "request %d", which);
  snprintf(wanted, sizeof wanted, "answer %d", which);
  if (which == 5) {
    CHECK(pipe(ends) == 0 && write(ends[1], "own", 3) == 3, "pipe");
    pass(fd, text, ends[0]);
    close(ends[0]);
  } else {
    CHECK(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text), "send");
  }
  pid_t other = which == 2 || which == 3 ? fork() : -1;
  if (other == 0) {
    // It has the same socket, and looks only whether it is connected at the end.
    probe_end_with_parent();
    CHECK(recv(fd, answer, 6, MSG_PEEK | MSG_WAITALL) == 6, "the other process");
    _exit(memcmp(answer, "answer", 6) == 0 ? 6 : 7);
  }
  CHECK(write(ready[1], "r", 1) == 1, "ready");
  if (which == 1) {
    struct pollfd wait = {fd, POLLIN, 0};
    CHECK(poll(&wait, 1, -1) == 1 && (wait.revents & (POLLIN | POLLERR)) == POLLIN, "poll gave %x", (unsigned)wait.revents);
  } else if (which == 4) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 && epoll_wait(epoll, &event, 1, -1) == 1 && (event.events & (EPOLLIN | EPOLLERR)) == EPOLLIN, "epoll gave %x", event.events);
  }
  int status = 0;
  if (other > 0) CHECK(waitpid(other, &status, 0) == other && WEXITSTATUS(status) == 6, "the other process gave %x", (unsigned)status);
  ssize_t count = recv(fd, answer, strlen(wanted), MSG_WAITALL);
  CHECK(count == (ssize_t)strlen(wanted) && strcmp(answer, wanted) == 0, "%s instead of %s", answer, wanted);
  CHECK(recv(fd, answer, 1, 0) == 0, "the end");
  return 20 + which;
}

static void serve(int which, int listener, pid_t client) {
  char text[32] = "", wanted[32], control[256];
  int fd = accept(listener, NULL, NULL);
  CHECK(fd >= 0, "accept");
  struct iovec part = {text, sizeof text - 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  snprintf(wanted, sizeof wanted, "request %d", which);
  CHECK(recvmsg(fd, &message, MSG_DONTWAIT) == (ssize_t)strlen(wanted) && strcmp(text, wanted) == 0, "%s instead of %s", text, wanted);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (which == 5) {
    int passed = -1;
    CHECK(header && header->cmsg_type == SCM_RIGHTS, "no descriptor comes");
    memcpy(&passed, CMSG_DATA(header), sizeof passed);
    CHECK(read(passed, text, 8) == 3 && memcmp(text, "own", 3) == 0, "the descriptor");
  }
  if (which % 2 != 0) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 && credentials.pid == client, "the client is %d instead of %d", credentials.pid, client);
  }
  snprintf(wanted, sizeof wanted, "answer %d", which);
  CHECK(send(fd, wanted, strlen(wanted), 0) == (ssize_t)strlen(wanted) && close(fd) == 0, "answer");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int by_tcp = socket(AF_INET, SOCK_STREAM, 0), by_unix = socket(AF_UNIX, SOCK_STREAM, 0);
  socklen_t length = sizeof tcp_name;
  tcp_name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  unlink(unix_name.sun_path);
  CHECK(pipe(ready) == 0, "pipe");
  CHECK(bind(by_tcp, (struct sockaddr *)&tcp_name, sizeof tcp_name) == 0 && listen(by_tcp, 8) == 0, "listen");
  CHECK(bind(by_unix, (struct sockaddr *)&unix_name, sizeof unix_name) == 0 && listen(by_unix, 8) == 0, "listen");
  CHECK(getsockname(by_tcp, (struct sockaddr *)&tcp_name, &length) == 0, "getsockname");
  probe_note("listener", (uint64_t)by_unix);
  pid_t children[clients];
  for (int i = 0; i < clients; i++) {
    char byte;
    children[i] = fork();
    if (children[i] == 0) {
      probe_end_with_parent();
      _exit(run(i, i % 2 == 0 ? AF_INET : AF_UNIX));
    }
    CHECK(read(ready[0], &byte, 1) == 1, "client %d", i);
  }
  probe_sleep_ms(50);
  probe_hold();
  for (int i = 0; i < clients; i++) serve(i, i % 2 == 0 ? by_tcp : by_unix, children[i]);
  for (int i = 0; i < clients; i++) {
    int status = 0;
    CHECK(waitpid(children[i], &status, 0) == children[i] && WEXITSTATUS(status) == 20 + i, "client %d gave %x", i, (unsigned)status);
  }
  return probe_ok();
}
