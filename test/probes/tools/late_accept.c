/* A server that takes its clients late: each has connected, over TCP and over a Unix socket in turn, and sent its number by then, and there is a
 * while without any. Prints
 * `round N` for each that it has served; ends after the number of rounds that it is told, with `done` if all numbers were right. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int end(const char *what) {
  printf("FAIL: %s\n", what);
  return 1;
}

int main(int count, char **words) {
  int rounds = count > 1 ? atoi(words[1]) : 10, tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "served"};
  socklen_t size = sizeof port;
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (bind(tcp, (struct sockaddr *)&port, sizeof port) || listen(tcp, 4) || getsockname(tcp, (struct sockaddr *)&port, &size)) return end("TCP");
  if (bind(local, (struct sockaddr *)&name, sizeof name) || listen(local, 4)) return end("Unix");
  for (int round = 0; round < rounds; round++) {
    int over_tcp = round % 2, got = -1;
    int client = socket(over_tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    const struct sockaddr *to = over_tcp ? (struct sockaddr *)&port : (struct sockaddr *)&name;
    if (connect(client, to, over_tcp ? sizeof port : sizeof name) || write(client, &round, sizeof round) != sizeof round) return end("client");
    usleep(200000);
    int server = accept(over_tcp ? tcp : local, NULL, NULL);
    if (server < 0 || read(server, &got, sizeof got) != sizeof got || got != round) return end("another number");
    close(server);
    close(client);
    printf("round %d\n", round);
    usleep(150000);
  }
  puts("done");
  return 0;
}
