// Unix sockets that are closed for one direction, or whose peer was closed, with data still in them.
// sabotage: call close @half
#include "../probe.h"
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int half[2], orphan[2], packets[2], whole[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, half) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, orphan) == 0, "socketpair");
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, whole) == 0, "socketpair");
  probe_note("half", (uint64_t)half[0]);
  CHECK(write(half[0], "last", 4) == 4 && shutdown(half[0], SHUT_WR) == 0 && write(half[1], "still", 5) == 5, "half-closed");
  CHECK(write(orphan[1], "legacy", 6) == 6 && close(orphan[1]) == 0, "orphan");
  CHECK(send(packets[0], "p", 1, 0) == 1 && shutdown(packets[0], SHUT_WR) == 0, "packets");
  CHECK(shutdown(whole[0], SHUT_RDWR) == 0, "shutdown");
  signal(SIGPIPE, SIG_IGN);
  probe_hold();
  char text[16];
  CHECK(write(half[0], "x", 1) == -1 && errno == EPIPE, "writing is still possible");
  CHECK(recv(half[1], text, 16, 0) == 4 && recv(half[1], text, 16, 0) == 0, "the end of the stream");
  CHECK(write(half[1], "more", 4) == 4 && recv(half[0], text, 5, 0) == 5 && recv(half[0], text, 16, 0) == 4, "the open direction");
  CHECK(recv(orphan[0], text, 16, 0) == 6 && memcmp(text, "legacy", 6) == 0 && recv(orphan[0], text, 16, 0) == 0, "what a closed peer left");
  CHECK(write(orphan[0], "x", 1) == -1 && errno == EPIPE, "writing to a closed peer");
  CHECK(recv(packets[1], text, 16, 0) == 1 && recv(packets[1], text, 16, 0) == 0, "packets and their end");
  CHECK(recv(whole[1], text, 16, MSG_DONTWAIT) == 0 && write(whole[1], "x", 1) == -1, "closed in both directions");
  struct pollfd poll_whole = {whole[0], POLLIN, 0};
  CHECK(poll(&poll_whole, 1, 0) == 1 && (poll_whole.revents & POLLHUP), "no POLLHUP");
  return probe_ok();
}
