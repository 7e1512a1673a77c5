// Listens at a port of TCP and UDP and at an abstract name. When the file of its command line is no longer empty, clients in a thread,
// a child and an executed program ask who is there: the answer has to be the secret of their own run, and names have to be
// as ever. With more words on the command line it is that program.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int port;
static char secret[64];  // of each run
static struct sockaddr_in name;
static struct sockaddr_un abstract;
static socklen_t abstract_size;

static void abstract_name(const char *text) {
  abstract.sun_family = AF_UNIX;
  abstract_size = offsetof(struct sockaddr_un, sun_path) + 1 + snprintf(abstract.sun_path + 1, sizeof abstract.sun_path - 1, "cairn-server-%s", text);
}

static const char *ask(int fd, const void *address, socklen_t size, const char *own, char *result) {
  char text[64] = "";
  struct pollfd poller = {fd, POLLIN, 0};
  if (connect(fd, (const struct sockaddr *)address, size) == -1) return "not reached";
  if (write(fd, "?", 1) != 1 || poll(&poller, 1, 5000) != 1 || read(fd, text, sizeof text - 1) < 1) return "silent";
  if (strcmp(text, own) != 0) return "foreign";
  struct sockaddr_in peer;
  socklen_t peer_size = sizeof peer;
  if (((const struct sockaddr *)address)->sa_family == AF_UNIX) return "own";
  if (getpeername(fd, (struct sockaddr *)&peer, &peer_size) == -1) return "nameless";
  sprintf(result, "own %d", ntohs(peer.sin_port));
  return result;
}

static void client(const char *who, const char *own) {
  char tcp_result[32], udp_result[32], none[32];
  int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
  const char *by_tcp = ask(tcp, &name, sizeof name, own, tcp_result);
  const char *by_udp = ask(udp, &name, sizeof name, own, udp_result);
  const char *by_abstract = ask(local, &abstract, abstract_size, own, none);
  printf("%s: tcp %s, udp %s, abstract %s\n", who, by_tcp, by_udp, by_abstract);
  fflush(stdout);
  close(tcp), close(udp), close(local);
}

static void *serve(void *argument) {
  int *fds = argument;
  for (;;) {
    struct pollfd pollers[3] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}, {fds[2], POLLIN, 0}};
    if (poll(pollers, 3, -1) < 1) continue;
    for (int i = 0; i < 3; i++) {
      char byte;
      if (!(pollers[i].revents & POLLIN)) continue;
      if (i == 1) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        if (recvfrom(fds[1], &byte, 1, 0, (struct sockaddr *)&from, &size) == 1) sendto(fds[1], secret, strlen(secret), 0, (struct sockaddr *)&from, size);
        continue;
      }
      int fd = accept(fds[i], NULL, NULL);
      struct sockaddr_in local = {0};
      socklen_t size = sizeof local;
      getsockname(fd, (struct sockaddr *)&local, &size);
      if (i == 0 && ntohs(local.sin_port) != port) printf("FAIL: the accepted end is at port %d\n", ntohs(local.sin_port));
      if (read(fd, &byte, 1) == 1 && write(fd, secret, strlen(secret)) < 0) perror("write");
      close(fd);
    }
  }
  return NULL;
}

static void *thread_client(void *own) { return client("thread", own), NULL; }

int main(int argc, char **argv) {
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (argc > 4) {
    name.sin_port = htons((unsigned short)atoi(argv[2]));
    abstract_name(argv[3]);
    client("program", argv[4]);
    return 0;
  }
  int fds[3] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_DGRAM, 0), socket(AF_UNIX, SOCK_STREAM, 0)};
  socklen_t size = sizeof name;
  char number[32];
  snprintf(number, sizeof number, "%d", getpid());
  abstract_name(number);
  for (;;) {
    name.sin_port = 0;
    if (bind(fds[0], (struct sockaddr *)&name, sizeof name) == -1 || getsockname(fds[0], (struct sockaddr *)&name, &size) == -1) return 2;
    if (bind(fds[1], (struct sockaddr *)&name, sizeof name) == 0) break;
    close(fds[0]);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
  }
  if (bind(fds[2], (struct sockaddr *)&abstract, abstract_size) == -1 || listen(fds[0], 5) == -1 || listen(fds[2], 5) == -1) return 2;
  port = ntohs(name.sin_port);
  printf("listening %d\n", port);
  fflush(stdout);
  struct stat status = {0};
  struct timespec now, pause = {0, 20000000};
  for (int said = 0; stat(argv[1], &status) == 0 && status.st_size == 0;) {
    nanosleep(&pause, NULL);
    if (!said && getenv("CAIRN_SESSION") && strcmp(getenv("CAIRN_SESSION"), "first") != 0) said = 1, puts("goes on"), fflush(stdout);
  }
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(secret, sizeof secret, "%ld.%09ld", (long)now.tv_sec, now.tv_nsec);
  pthread_t server, thread;
  pthread_create(&server, NULL, serve, fds);
  pthread_create(&thread, NULL, thread_client, secret);
  pthread_join(thread, NULL);
  fflush(stdout);
  if (fork() == 0) {
    client("child", secret);
    char given[16];
    snprintf(given, sizeof given, "%d", port);
    execl(argv[0], argv[0], argv[1], given, number, secret, NULL);
    _exit(1);
  }
  int result;
  wait(&result);
  return result;
}
