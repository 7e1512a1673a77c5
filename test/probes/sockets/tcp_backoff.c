// A TCP connection whose receiver has made its buffer smaller than what was sent: the sender's kernel tries again at growing intervals, and is
// in the middle of a long one at the checkpoint.
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
  int listener = socket(AF_INET, SOCK_STREAM, 0), small = 20000;
  CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&name, &length) == 0, "getsockname");
  int sender = socket(AF_INET, SOCK_STREAM, 0), receiver = -1;
  CHECK(connect(sender, (struct sockaddr *)&name, sizeof name) == 0 && (receiver = accept(listener, NULL, NULL)) >= 0, "connect");
  probe_note("sender", (uint64_t)sender);
  CHECK(setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0, "SO_RCVBUF");
  static unsigned char block[65536];
  long sent = 0;
  for (int quiet = 0; quiet < 10;) {
    for (int i = 0; i < 4096; i++) block[i] = byte_at(sent + i);
    ssize_t count = send(sender, block, 4096, MSG_DONTWAIT);
    sent += count > 0 ? count : 0;
    quiet = count > 0 ? 0 : quiet + 1;
    if (count <= 0) probe_sleep_ms(5);
  }
  // By then it has tried after 0.2, 0.6, 1.4 and 3 seconds, and does again after 6.
  probe_sleep_ms(3300);
  probe_hold();
  for (long got = 0; got < sent;) {
    ssize_t count = recv(receiver, block, sizeof block, 0);
    CHECK(count > 0, "the stream ends at %ld of %ld bytes", got, sent);
    for (ssize_t i = 0; i < count; i++) CHECK(block[i] == byte_at(got + i), "byte %ld is wrong", got + i);
    got += count;
  }
  CHECK(recv(receiver, block, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "more came out than went in");
  char byte;
  CHECK(write(sender, "x", 1) == 1 && read(receiver, &byte, 1) == 1 && byte == 'x', "it goes on");
  return probe_ok();
}
