// Small messages sent one after the other to another process, whose acknowledgements are put off: at any moment some are still with the
// sender (Nagle's algorithm). None is lost, and none comes twice.
// churn: maps
// sabotage: call close @sender
#include "../probe.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void receive(int fd) {
  uint32_t number;
  for (uint32_t expected = 0;; expected++) {
    int off = 0;
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off) == 0, "TCP_QUICKACK");
    ssize_t count = recv(fd, &number, sizeof number, MSG_WAITALL);
    if (count == 0) _exit(7);
    CHECK(count == sizeof number && number == expected, "number %u came for number %u", number, expected);
  }
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0, "listen");
  CHECK(getsockname(listener, (struct sockaddr *)&name, &length) == 0, "getsockname");
  int sender = socket(AF_INET, SOCK_STREAM, 0), receiver = -1;
  CHECK(connect(sender, (struct sockaddr *)&name, sizeof name) == 0 && (receiver = accept(listener, NULL, NULL)) >= 0, "connect");
  close(listener);
  probe_note("sender", (uint64_t)sender);
  pid_t child = fork();
  if (child == 0) {
    close(sender);
    receive(receiver);
  }
  close(receiver);
  pid_t writer = fork();
  if (writer == 0) {
    // Until it is killed, or nobody receives.
    for (uint32_t number = 0; send(sender, &number, sizeof number, MSG_NOSIGNAL) == sizeof number; number++) probe_sleep_ms(1);
    _exit(1);
  }
  probe_sleep_ms(100);
  probe_hold();
  probe_sleep_ms(100);
  int status = 0;
  CHECK(kill(writer, SIGKILL) == 0 && waitpid(writer, &status, 0) == writer && WTERMSIG(status) == SIGKILL, "the writer gave %x", (unsigned)status);
  CHECK(shutdown(sender, SHUT_WR) == 0, "shutdown: errno %d", errno);
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "the receiver gave %x", (unsigned)status);
  return probe_ok();
}
