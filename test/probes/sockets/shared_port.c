// Ports that several sockets of a computation share, in two processes: two that listen (SO_REUSEPORT) and two for datagrams (SO_REUSEADDR).
// In restarts beside the run itself, what is meant for one of the runs comes to that one.
// sabotage: call close @receiver
#include "../probe.h"
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct sockaddr_in stream, datagram;
static int sharing(int type, int option, struct sockaddr_in *name) {
  int fd = socket(AF_INET, type, 0), yes = 1;
  socklen_t size = sizeof *name;
  name->sin_family = AF_INET, name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(setsockopt(fd, SOL_SOCKET, option, &yes, sizeof yes) == 0, "setsockopt");
  CHECK(bind(fd, (struct sockaddr *)name, sizeof *name) == 0 && getsockname(fd, (struct sockaddr *)name, &size) == 0, "bind");
  if (type == SOCK_STREAM) CHECK(listen(fd, 50) == 0, "listen");
  return fd;
}
static void answer(int listener, const char *token) {
  int accepted = accept(listener, NULL, NULL);
  if (accepted >= 0 && write(accepted, token, 16) == 16) close(accepted);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char *token = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int listener = sharing(SOCK_STREAM, SO_REUSEPORT, &stream), receiver = sharing(SOCK_DGRAM, SO_REUSEADDR, &datagram), ready[2];
  CHECK(pipe(ready) == 0, "pipe");
  probe_note("receiver", (uint64_t)receiver);
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    close(listener), close(receiver);
    listener = sharing(SOCK_STREAM, SO_REUSEPORT, &stream);
    receiver = sharing(SOCK_DGRAM, SO_REUSEADDR, &datagram);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) answer(listener, token);
  }
  char got[17] = "", wanted[17];
  uint64_t number = 0;
  CHECK(read(ready[0], got, 1) == 1, "the child");
  probe_hold();
  CHECK(getrandom(&number, sizeof number, 0) == sizeof number, "getrandom");
  snprintf(wanted, sizeof wanted, "%016llx", (unsigned long long)number);
  memcpy(token, wanted, 17);
  // Datagrams that are for this run come to it alone, to the socket that was bound last.
  int sender = socket(AF_INET, SOCK_DGRAM, 0);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  for (int i = 0; i < 40; i++) {
    int client = socket(AF_INET, SOCK_STREAM, 0), waited = 0;
    CHECK(connect(client, (struct sockaddr *)&stream, sizeof stream) == 0, "connect");
    while (recv(client, got, 16, MSG_DONTWAIT) != 16 && waited++ < 5000) answer(listener, token), probe_sleep_ms(1);
    CHECK(memcmp(got, wanted, 16) == 0, "connection %d: '%s' came instead of '%s'", i, got, wanted);
    close(client);
    CHECK(sendto(sender, wanted, 16, 0, (struct sockaddr *)&datagram, sizeof datagram) == 16, "sendto");
  }
  while (recv(receiver, got, 16, MSG_DONTWAIT) == 16) CHECK(memcmp(got, wanted, 16) == 0, "a datagram of another run came");
  struct sockaddr_in name;
  socklen_t size = sizeof name;
  CHECK(getsockname(receiver, (struct sockaddr *)&name, &size) == 0 && name.sin_port == datagram.sin_port, "the port is another one");
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return probe_ok();
}
