// Calls that wait on sockets with a time limit (SO_RCVTIMEO, SO_SNDTIMEO) when the checkpoint comes end when what remained of it has passed:
// not at once, and not after the whole time again. The time in which nothing of the program ran is not counted against them. The limit
// that the program has chosen is the socket's for all others.
// sabotage: call close @pair
// bits: 64, 32
// churn: threads
// attached: not known: when a wait began that was there before
#include "../blocking/pauses.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

enum { RECV, READ, READV, RECVFROM, RECVMSG, RECVMMSG, ACCEPT, SEND, KINDS };
static const char *const names[] = {"recv", "read", "readv", "recvfrom", "recvmsg", "recvmmsg", "accept", "send"};
static const int64_t WAIT = 3500, BEFORE = 1500, TOLERANCE = 1200;  // milliseconds
static int sockets[KINDS], others[KINDS];
static int64_t took[KINDS];

static void *body(void *argument) {
  int which = (int)(intptr_t)argument, fd = sockets[which];
  char bytes[16];
  static char block[4096];
  struct iovec part = {bytes, sizeof bytes};
  struct mmsghdr messages = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
  long result = 0;
  int64_t start = now();
  switch (which) {
    case RECV: result = recv(fd, bytes, sizeof bytes, 0); break;
    case READ: result = read(fd, bytes, sizeof bytes); break;
    case READV: result = readv(fd, &part, 1); break;
    case RECVFROM: result = recvfrom(fd, bytes, sizeof bytes, 0, NULL, NULL); break;
    case RECVMSG: result = recvmsg(fd, &messages.msg_hdr, 0); break;
    case RECVMMSG: result = recvmmsg(fd, &messages, 1, 0, NULL); break;
    case ACCEPT: result = accept(fd, NULL, NULL); break;
    default: result = send(fd, block, 1, 0);
  }
  int error = errno;
  CHECK(result == -1 && error == EAGAIN, "%s gave %ld: %s", names[which], result, strerror(error));
  took[which] = now() - start;
  return argument;
}
static void limit(int fd, int name) {
  struct timeval time = {WAIT / 1000, WAIT % 1000 * 1000};
  CHECK(setsockopt(fd, SOL_SOCKET, name, &time, sizeof time) == 0, "setsockopt");
}
static void check_limit(int fd, int name, const char *what) {
  struct timeval time;
  socklen_t size = sizeof time;
  CHECK(getsockopt(fd, SOL_SOCKET, name, &time, &size) == 0, "getsockopt");
  CHECK(time.tv_sec * 1000LL + time.tv_usec / 1000 == WAIT, "the limit of %s is %d.%06d", what, (int)time.tv_sec, (int)time.tv_usec);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  for (int i = 0; i < KINDS; i++) {
    int pair[2];
    CHECK(socketpair(AF_UNIX, i == READV ? SOCK_SEQPACKET : i == RECVMSG || i == SEND ? SOCK_DGRAM : SOCK_STREAM, 0, pair) == 0, "socketpair");
    sockets[i] = pair[0];
    others[i] = pair[1];
  }
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  for (int i = 0; i < 2; i++) {
    int fd = socket(AF_INET, i == 0 ? SOCK_DGRAM : SOCK_STREAM, 0), which = i == 0 ? RECVFROM : ACCEPT;
    CHECK(bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && (i == 0 || listen(fd, 1) == 0), "bind");
    CHECK(dup2(fd, sockets[which]) == sockets[which] && close(fd) == 0, "dup2");
  }
  probe_note("pair", (uint64_t)sockets[RECV]);
  char block[4096] = "";
  while (send(sockets[SEND], block, 1, MSG_DONTWAIT) > 0) {
  }
  pthread_t watcher, threads[KINDS];
  pthread_create(&watcher, NULL, watch, NULL);
  for (intptr_t i = 0; i < KINDS; i++) {
    limit(sockets[i], i == SEND ? SO_SNDTIMEO : SO_RCVTIMEO);
    pthread_create(&threads[i], NULL, body, (void *)i);
  }
  probe_sleep_ms(BEFORE);
  probe_hold();
  for (int i = 0; i < KINDS; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < KINDS; i++) {
    CHECK(took[i] >= WAIT - 10, "%s took %d ms", names[i], (int)took[i]);
    CHECK(took[i] <= WAIT + pauses + TOLERANCE, "%s took %d ms, of which nobody ran in %d", names[i], (int)took[i], (int)pauses);
    check_limit(sockets[i], i == SEND ? SO_SNDTIMEO : SO_RCVTIMEO, names[i]);
  }
  CHECK(send(others[RECV], "x", 1, 0) == 1 && recv(sockets[RECV], block, 1, 0) == 1, "it goes on");
  stop = 1;
  pthread_join(watcher, NULL);
  return probe_ok();
}
