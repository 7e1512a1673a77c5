// A TCP connection whose receive buffer has grown far beyond what a new one has, and beyond what SO_RCVBUF gives, with data in it. (A
// buffer grows so while an application reads fast; here by a low-water mark, which a loaded machine cannot prevent.)
// churn: maps
// sabotage: call close @sender
#include "../probe.h"
#include <netinet/in.h>
#include <sys/socket.h>

static unsigned char byte_at(long position) { return (unsigned char)((unsigned long)position * 2654435761u >> 13); }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0), sender = socket(AF_INET, SOCK_STREAM, 0), mark = 1 << 30, one = 1;
  CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&name, &length) == 0, "listen");
  CHECK(connect(sender, (struct sockaddr *)&name, sizeof name) == 0, "connect");
  int receiver = accept(listener, NULL, NULL);
  CHECK(receiver >= 0 && close(listener) == 0, "accept");
  CHECK(setsockopt(receiver, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark) == 0 && setsockopt(receiver, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one) == 0, "SO_RCVLOWAT");
  probe_note("sender", (uint64_t)sender);
  static unsigned char block[65536];
  long sent = 0;
  for (int quiet = 0; quiet < 20;) {
    for (long i = 0; i < (long)sizeof block; i++) block[i] = byte_at(sent + i);
    ssize_t count = send(sender, block, sizeof block, MSG_DONTWAIT);
    if (count > 0) sent += count, quiet = 0;
    else probe_sleep_ms(5), quiet++;
  }
  probe_hold();
  CHECK(getsockopt(receiver, SOL_SOCKET, SO_RCVLOWAT, &mark, &length) == 0 && mark == 1, "SO_RCVLOWAT is %d", mark);
  CHECK(send(sender, "", 0, 0) == 0, "send");
  for (long got = 0; got < sent;) {
    ssize_t count = recv(receiver, block, sizeof block < (size_t)(sent - got) ? sizeof block : (size_t)(sent - got), 0);
    CHECK(count > 0, "the stream ends at %ld of %ld bytes", got, sent);
    for (ssize_t i = 0; i < count; i++) CHECK(block[i] == byte_at(got + i), "byte %ld is wrong", got + i);
    got += count;
  }
  CHECK(recv(receiver, block, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "more came out than went in");
  return probe_ok();
}
