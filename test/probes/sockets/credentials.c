// Who sent what waits in a socket (SCM_CREDENTIALS), from three processes in turn, and a descriptor on the way that only its sender had;
// stream and datagram.
// other user: not the same user
// sabotage: call close @stream
#include "../probe.h"
#include <sys/socket.h>
#include <sys/wait.h>

static int stream[2], datagrams[2], orders[2][2], answers[2];

static void send_with(int fd, const char *text, int passed) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
  struct iovec part = {(char *)text, strlen(text)};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  CHECK(sendmsg(fd, &message, 0) == (ssize_t)strlen(text), "sendmsg");
}

// The sender's pid; *passed: a descriptor, or -1.
static pid_t receive(int fd, const char *wanted, int *passed) {
  char control[256], text[16] = "";
  struct iovec part = {text, 15};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  pid_t sender = 0;
  *passed = -1;
  CHECK(recvmsg(fd, &message, MSG_DONTWAIT) >= 0 && strcmp(text, wanted) == 0, "%s comes instead of %s", text, wanted);
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_type == SCM_CREDENTIALS) sender = ((struct ucred *)CMSG_DATA(header))->pid;
    if (header->cmsg_type == SCM_RIGHTS) memcpy(passed, CMSG_DATA(header), sizeof *passed);
  }
  return sender;
}

static int child(int which) {
  char byte;
  for (int round = 0; read(orders[which][0], &byte, 1) == 1 && byte != 'q'; round++) {
    char text[8];
    snprintf(text, sizeof text, "%c%d", 'a' + which, round);
    int own[2];
    if (which == 1 && round == 1) {
      if (pipe(own) || write(own[1], "own", 3) != 3) return 1;
      send_with(stream[1], text, own[0]);
      close(own[0]);
    } else if (write(stream[1], text, 2) != 2) {
      return 2;
    }
    if (send(datagrams[1], text, 2, 0) != 2 || write(answers[1], "k", 1) != 1) return 3;
  }
  return 4;
}

static void order(int which) {
  char byte;
  CHECK(write(orders[which][1], "o", 1) == 1 && read(answers[0], &byte, 1) == 1, "child %d", which);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0, "socketpair");
  CHECK(pipe(orders[0]) == 0 && pipe(orders[1]) == 0 && pipe(answers) == 0, "pipe");
  int on = 1;
  CHECK(setsockopt(stream[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 && setsockopt(datagrams[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0, "SO_PASSCRED");
  probe_note("stream", (uint64_t)stream[0]);
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      probe_end_with_parent();
      _exit(child(i));
    }
  }
  order(0);
  order(1);
  CHECK(write(stream[1], "me", 2) == 2 && send(datagrams[1], "me", 2, 0) == 2, "write");
  order(1);
  order(0);
  probe_hold();
  for (int i = 0; i < 2; i++) {
    int fd = i == 0 ? stream[0] : datagrams[0], passed;
    CHECK(receive(fd, "a0", &passed) == children[0], "the first sender");
    CHECK(receive(fd, "b0", &passed) == children[1], "the second sender");
    CHECK(receive(fd, "me", &passed) == getpid(), "the third sender is not this process");
    CHECK(receive(fd, "b1", &passed) == children[1], "the fourth sender");
    char text[8];
    if (i == 0) CHECK(passed >= 0 && read(passed, text, 8) == 3 && memcmp(text, "own", 3) == 0, "the descriptor that only the child had");
    CHECK(receive(fd, "a1", &passed) == children[0] && passed == -1, "the last sender");
  }
  for (int i = 0; i < 2; i++) {
    int status = 0;
    order(i);
    CHECK(write(orders[i][1], "q", 1) == 1 && waitpid(children[i], &status, 0) == children[i] && WEXITSTATUS(status) == 4, "child %d gave %x", i, (unsigned)status);
  }
  return probe_ok();
}
