// TCP connections on which more was sent than the receiver's queue holds, one-way and in both directions, in one process and between two.
// churn: maps
// sabotage: call close @sender
#include "../probe.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

static unsigned char byte_at(long position) { return (unsigned char)((unsigned long)position * 2654435761u >> 13); }

static long stuff(int fd) {
  static unsigned char block[4096];
  long sent = 0;
  // Until nothing goes any more, also after a while.
  for (int quiet = 0; quiet < 10;) {
    for (int i = 0; i < 4096; i++) block[i] = byte_at(sent + i);
    ssize_t count = send(fd, block, sizeof block, MSG_DONTWAIT);
    if (count > 0) {
      sent += count;
      quiet = 0;
    } else {
      quiet++;
      probe_sleep_ms(5);
    }
  }
  return sent;
}
static void unstuff(int fd, long bytes, const char *what) {
  static unsigned char block[65536];
  for (long got = 0; got < bytes;) {
    long wanted = bytes - got < (long)sizeof block ? bytes - got : (long)sizeof block;
    ssize_t count = recv(fd, block, (size_t)wanted, 0);
    CHECK(count > 0, "%s: the stream ends at %ld of %ld bytes", what, got, bytes);
    for (ssize_t i = 0; i < count; i++) CHECK(block[i] == byte_at(got + i), "%s: byte %ld is wrong", what, got + i);
    got += count;
  }
  CHECK(recv(fd, block, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "%s: more came out than went in", what);
}
static void connection(int ends[2]) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&name, &length) == 0, "getsockname");
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(ends[0], (struct sockaddr *)&name, sizeof name) == 0 && (ends[1] = accept(listener, NULL, NULL)) >= 0, "connect");
  close(listener);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int both[2], apart[2], small = 20000;
  connection(both);
  connection(apart);
  probe_note("sender", (uint64_t)both[0]);
  CHECK(setsockopt(both[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0, "SO_RCVBUF");
  long forth = stuff(both[0]), back = stuff(both[1]), to_child = stuff(apart[0]);
  int control[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, control) == 0, "socketpair");
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(both[0]), close(both[1]), close(apart[0]), close(control[0]);
    if (read(control[1], &byte, 1) != 1) _exit(1);
    unstuff(apart[1], to_child, "child");
    _exit(write(apart[1], "k", 1) == 1 ? 7 : 2);
  }
  close(apart[1]), close(control[1]);
  probe_hold();
  unstuff(both[1], forth, "there");
  unstuff(both[0], back, "back");
  char byte;
  CHECK(write(control[0], "g", 1) == 1 && read(apart[0], &byte, 1) == 1 && byte == 'k', "the child does not answer");
  CHECK(write(both[0], "x", 1) == 1 && read(both[1], &byte, 1) == 1 && byte == 'x', "it goes on");
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "the child gave %x", (unsigned)status);
  return probe_ok();
}
