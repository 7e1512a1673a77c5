// `messages_edges CASE`: one case of what a program does with a connection besides sending and receiving messages: says in one line what came.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2]; // messages go from the second one to the first

static void fail(const char *what) {
  perror(what);
  exit(9);
}

static void pair(int type) {
  if (socketpair(AF_UNIX, type, 0, ends) < 0) fail("socketpair");
}

static void say(const char *text) {
  if (write(ends[1], text, strlen(text)) != (ssize_t)strlen(text)) fail("write");
}

/* All that is there, or all until the end where it waits. Past the plugin. */
static void print_rest(int fd, int flags) {
  char got[4096];
  for (ssize_t size; (size = syscall(SYS_recvfrom, fd, got, sizeof got, flags, NULL, NULL)) > 0;) printf("%.*s", (int)size, got);
  puts("");
}

static int descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (readdir(folder) != NULL) ++count;
  closedir(folder);
  return count;
}

static void send_right(const char *text) {
  char control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {(void *)text, strlen(text)};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *one = CMSG_FIRSTHDR(&message);
  one->cmsg_level = SOL_SOCKET, one->cmsg_type = SCM_RIGHTS, one->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(one), &ends[0], sizeof(int));
  if (sendmsg(ends[1], &message, 0) < 0) fail("sendmsg");
}

static void receive_right(void) {
  char control[CMSG_SPACE(sizeof(int))] = {0}, text[64];
  struct iovec part = {text, sizeof text};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  const ssize_t size = recvmsg(ends[0], &message, 0);
  printf("%.*s%s", (int)size, text, message.msg_controllen > 0 ? "+right " : " ");
}

/* ---- Receiving ---- */
static void truncated(void) {
  char buffer[72] = {0}, sent[64] = {0};
  pair(SOCK_DGRAM);
  for (int i = 0; i < 2; ++i)
    if (send(ends[1], sent, sizeof sent, 0) < 0) fail("send");
  const ssize_t size = recv(ends[0], buffer, 8, MSG_TRUNC);
  int beyond = 0;
  for (size_t i = 8; i < sizeof buffer; ++i) beyond |= buffer[i];
  struct iovec parts[2] = {{buffer + 8, 4}, {buffer + 12, 4}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  const ssize_t again = recvmsg(ends[0], &message, MSG_TRUNC);
  for (size_t i = 16; i < sizeof buffer; ++i) beyond |= buffer[i];
  printf("%zd %zd, %s, %s\n", size, again, buffer[0] != 0 && buffer[8] != 0 ? "both corrupted" : "not corrupted", beyond ? "and beyond" : "nothing beyond");
}

static void thrown_away(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr *)&address, length) < 0 || listen(server, 1) < 0) fail("listen");
  getsockname(server, (struct sockaddr *)&address, &length);
  ends[1] = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(ends[1], (struct sockaddr *)&address, length) < 0) fail("connect");
  ends[0] = accept(server, NULL, NULL);
  say("away");
  usleep(10000);
  const ssize_t size = recv(ends[0], NULL, 4, MSG_TRUNC);
  say("kept");
  printf("%zd ", size);
  shutdown(ends[1], SHUT_WR);
  print_rest(ends[0], 0);
}

static void dropped_right(void) {
  pair(SOCK_STREAM);
  const int before = descriptors();
  send_right("1");
  send_right("2");
  receive_right();
  printf("%d more\n", descriptors() - before);
}

/* ---- Calls that wait ---- */
static int less;
static void *write_much(void *none) {
  static char much[1 << 22];
  signal(SIGPIPE, SIG_IGN);
  less = write(ends[1], much, sizeof much) < (ssize_t)sizeof much;
  return none;
}

static void woken(void) {
  pthread_t writer;
  pair(SOCK_STREAM);
  alarm(20);
  pthread_create(&writer, NULL, write_much, NULL);
  usleep(200000);
  shutdown(ends[1], SHUT_RDWR);
  close(ends[1]);
  pthread_join(writer, NULL);
  puts(less ? "woken" : "not woken");
}

/* What has its number then is another connection, while the write waits. */
static void closed(void) {
  pthread_t writer;
  pair(SOCK_STREAM);
  const int peer = ends[0], number = ends[1];
  alarm(20);
  pthread_create(&writer, NULL, write_much, NULL);
  usleep(200000);
  close(number);
  pair(SOCK_STREAM);
  if (ends[0] == number) ends[0] = ends[1], ends[1] = number;
  if (ends[1] != number) fail("the lowest number");
  say("next ");
  close(peer);
  pthread_join(writer, NULL);
  say("and one");
  print_rest(ends[0], MSG_DONTWAIT);
}

static void cancelled(void) {
  pthread_t writer;
  pair(SOCK_STREAM);
  alarm(20);
  pthread_create(&writer, NULL, write_much, NULL);
  usleep(200000);
  pthread_cancel(writer);
  pthread_join(writer, NULL);
  char got[4096];
  while (recv(ends[0], got, sizeof got, MSG_DONTWAIT) > 0) continue;
  say("next");
  print_rest(ends[0], MSG_DONTWAIT);
}

/* ---- Calls of which the kernel takes a part, or nothing ---- */
static void partly(void) {
  static char much[1 << 22], got[1 << 16];
  size_t sent = 0, came = 0;
  pair(SOCK_STREAM);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  for (ssize_t part; sent < sizeof much;) {
    if ((part = write(ends[1], much + sent, sizeof much - sent)) > 0) sent += (size_t)part;
    else if (errno != EAGAIN) fail("write");
    while ((part = recv(ends[0], got, sizeof got, MSG_DONTWAIT)) > 0) came += (size_t)part;
  }
  for (ssize_t part; (part = recv(ends[0], got, sizeof got, MSG_DONTWAIT)) > 0;) came += (size_t)part;
  printf("%s ", came == sizeof much ? "all" : came < sizeof much ? "less" : "more");
  say("second ");
  say("third ");
  print_rest(ends[0], MSG_DONTWAIT);
}

static void later(void) {
  char text[16] = "";
  pair(SOCK_DGRAM);
  const int full[2] = {ends[0], ends[1]};
  pair(SOCK_DGRAM);
  while (syscall(SYS_sendto, full[1], "fill", 4, MSG_DONTWAIT, NULL, 0) > 0) continue;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < 20; ++i)
    if (send(full[1], "a", 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN) fail("send");
  clock_gettime(CLOCK_MONOTONIC, &end);
  say("b");
  while (syscall(SYS_recvfrom, full[0], text, sizeof text, MSG_DONTWAIT, NULL, NULL) > 0) continue;
  if (send(full[1], "a", 1, MSG_DONTWAIT) != 1) fail("send");
  say("c");
  const long size = syscall(SYS_recvfrom, full[0], text, sizeof text, MSG_DONTWAIT, NULL, NULL);
  printf("%s, %.*s and ", end.tv_sec - begin.tv_sec < 4 ? "soon" : "late", (int)size, text);
  print_rest(ends[0], MSG_DONTWAIT);
}

/* ---- Other processes ---- */
static void borrowed(void) {
  pair(SOCK_STREAM);
  say("1");
  const pid_t child = vfork();
  if (child == 0) {
    close(ends[1]);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  say("2");
  print_rest(ends[0], MSG_DONTWAIT);
}

static void forked(void) {
  pair(SOCK_STREAM);
  say("p1 ");
  const pid_t child = fork();
  if (child == 0) {
    say("c1 ");
    say("c2 ");
    exit(0);
  }
  waitpid(child, NULL, 0);
  say("p2 ");
  print_rest(ends[0], MSG_DONTWAIT);
}

/* ---- Ends ---- */
static void (*end)(void);
static void by_return(void) {}
static void by_exit(void) { _exit(0); }
static void by_other(void) { dup2(open("/dev/null", O_WRONLY), ends[1]); }
static void by_range(void) { close_range((unsigned)ends[1], (unsigned)ends[1], 0); }
static void by_file(void) { fclose(fdopen(ends[1], "w")); }

static void ends_by(void) {
  pair(SOCK_STREAM);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    say("held");
    end();
    // Where the descriptor is another one there is nothing that the end of the process would send.
    if (end != by_return) syscall(SYS_exit_group, 0);
    return;
  }
  close(ends[1]);
  print_rest(ends[0], 0);
  waitpid(child, NULL, 0);
}

static void unread(void) {
  pair(SOCK_STREAM);
  say("1");
  close(ends[0]);
  close(ends[1]);
  puts("alive");
}

static void behind_dropped(void) {
  pair(SOCK_STREAM);
  say("1");
  say("2");
  say("3");
  print_rest(ends[0], MSG_DONTWAIT);
}

static void with_right(void) {
  pair(SOCK_SEQPACKET);
  send_right("1");
  say("2");
  receive_right();
  receive_right();
  puts("");
}

static void empty(void) {
  struct iovec part = {"", 0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  char got;
  pair(SOCK_DGRAM);
  if (sendmsg(ends[1], &message, 0) != 0) fail("sendmsg");
  printf("%zd\n", recv(ends[0], &got, 1, MSG_DONTWAIT));
}

/* Each thread has its own: more connections than have places at once, on some of which a fault is. 1: one byte is not what it is to be. */
static void *use_many(void *none) {
  static int wrong;
  for (int turn = 0; turn < 800 && !wrong; ++turn) {
    int open[32][2];
    for (int i = 0; i < 32; ++i)
      if ((i % 8 == 0 ? pipe(open[i]) : socketpair(AF_UNIX, SOCK_STREAM, 0, open[i])) < 0) fail("pair");
    for (int i = 0; i < 32; ++i) {
      char got = 0;
      if (write(open[i][1], "a", 1) != 1 || read(open[i][0], &got, 1) != 1) fail("write");
      if (got != (i % 8 == 0 ? 'A' : 'a')) wrong = 1;
    }
    for (int i = 0; i < 32; ++i) close(open[i][0]), close(open[i][1]);
  }
  return wrong ? &wrong : none;
}

static void many(void) {
  pthread_t threads[8];
  void *wrong, *any = NULL;
  for (int i = 0; i < 8; ++i) pthread_create(&threads[i], NULL, use_many, NULL);
  for (int i = 0; i < 8; ++i) {
    pthread_join(threads[i], &wrong);
    if (wrong != NULL) any = wrong;
  }
  puts(any == NULL ? "as they should be" : "wrong");
}

/* Says `ready`, and goes on when the file `hold` is gone. */
static void another_one(void) {
  if (pipe(ends) < 0) fail("pipe");
  say("of the pipe");
  const int number = ends[1];
  syscall(SYS_close, number);
  puts("ready");
  while (access("hold", F_OK) == 0) usleep(1000);
  pair(SOCK_STREAM);
  if (ends[0] == number) ends[0] = ends[1], ends[1] = number;
  if (ends[1] != number) fail("the lowest number");
  say("of the socket");
  print_rest(ends[0], MSG_DONTWAIT);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
    void (*end)(void);
  } cases[] = {{"truncated", truncated, NULL}, {"thrown-away", thrown_away, NULL}, {"dropped-right", dropped_right, NULL},
               {"woken", woken, NULL}, {"closed", closed, NULL}, {"cancelled", cancelled, NULL}, {"partly", partly, NULL}, {"later", later, NULL},
               {"borrowed", borrowed, NULL}, {"forked", forked, NULL}, {"return", ends_by, by_return}, {"exit", ends_by, by_exit},
               {"dup2", ends_by, by_other}, {"close_range", ends_by, by_range}, {"fclose", ends_by, by_file}, {"unread", unread, NULL},
               {"behind-dropped", behind_dropped, NULL}, {"with-right", with_right, NULL}, {"empty", empty, NULL},
               {"many", many, NULL}, {"another-one", another_one, NULL}};
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; ++i) {
    if (strcmp(argv[1], cases[i].name) != 0) continue;
    end = cases[i].end;
    cases[i].run();
    return 0;
  }
  return 9;
}
