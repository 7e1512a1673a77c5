// TCP between processes: a server that forks for each client, which shares the listening socket, and a client that both share.
// alone: it listens at a port
// sabotage: call close @client
#include "../probe.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct sockaddr_in server = {.sin_family = AF_INET};

static int serve(int listener) {
  int fd = accept(listener, NULL, NULL);
  char byte;
  if (fd < 0 || write(fd, "welcome ", 8) != 8) return 1;
  while (read(fd, &byte, 1) == 1) {
    byte++;
    if (write(fd, &byte, 1) != 1) return 2;
  }
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) || name.sin_port != server.sin_port) return 3;
  return 7;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, client[3];
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  CHECK(bind(listener, (struct sockaddr *)&server, sizeof server) == 0 && listen(listener, 9) == 0, "listen");
  socklen_t length = sizeof server;
  CHECK(getsockname(listener, (struct sockaddr *)&server, &length) == 0, "getsockname");
  pid_t children[3];
  for (int i = 0; i < 3; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      for (int other = 0; other < i; other++) close(client[other]);
      _exit(serve(listener));
    }
    struct sockaddr_in name = server;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client[i] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client[i], (struct sockaddr *)&name, sizeof name) == 0, "connect");
    char text[9] = "";
    CHECK(recv(client[i], text, 8, MSG_WAITALL | (i == 1 ? MSG_PEEK : 0)) == 8 && strcmp(text, "welcome ") == 0, "welcome");
  }
  probe_note("client", (uint64_t)client[0]);
  probe_hold();
  char text[16] = "";
  CHECK(recv(client[1], text, 8, MSG_WAITALL) == 8 && strcmp(text, "welcome ") == 0, "data in flight");
  for (int i = 0; i < 3; i++) {
    CHECK(write(client[i], "adg", 3) == 3 && recv(client[i], text, 3, MSG_WAITALL) == 3 && memcmp(text, "beh", 3) == 0, "client %d got %.3s", i, text);
    int status = 0;
    shutdown(client[i], SHUT_WR);
    CHECK(waitpid(children[i], &status, 0) == children[i] && WEXITSTATUS(status) == 7, "child %d gave %x", i, (unsigned)status);
  }
  return probe_ok();
}
