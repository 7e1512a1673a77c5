/* Two programs that count to each other over TCP, as fast as the connection takes it, and check every number: whatever is lost, doubled or
 * mixed up is seen.
 *
 *   talker main ADDRESS PORT REPORT LAUNCHER HOST   listens, starts the other one by LAUNCHER HOST, talks, waits for its status
 *   talker worker ADDRESS PORT REPORT               connects, talks, ends with 7 when the other side has closed
 *
 * REPORT is replaced every few thousand numbers: "in N out N pid N names same|changed". It ends with "done STATUS" (main), "wrong …" or
 * "broken …". main closes when there is a file REPORT.stop. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* report_path;
static struct sockaddr_in first_local, first_peer;

static void report(const char* text) {
  char beside[4200];
  snprintf(beside, sizeof beside, "%s.new", report_path);
  int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) _exit(99);
  close(fd);
  rename(beside, report_path);
}

static void names(int fd, struct sockaddr_in* local, struct sockaddr_in* peer) {
  socklen_t size = sizeof *local;
  memset(local, 0, sizeof *local);
  memset(peer, 0, sizeof *peer);
  getsockname(fd, (struct sockaddr*)local, &size);
  size = sizeof *peer;
  getpeername(fd, (struct sockaddr*)peer, &size);
}

static int same_names(int fd) {
  struct sockaddr_in local, peer;
  names(fd, &local, &peer);
  return memcmp(&local, &first_local, sizeof local) == 0 && memcmp(&peer, &first_peer, sizeof peer) == 0;
}

/* Returns when the peer has closed, after all that it sent was checked. */
static void talk(int fd, int closes) {
  static uint32_t in_bytes[4096], out_bytes[2048];
  uint32_t in = 0, out = 0;
  size_t have = 0, filled = 0, sent = 0;
  int closed = 0;
  char text[400], stop[4200];
  snprintf(stop, sizeof stop, "%s.stop", report_path);
  names(fd, &first_local, &first_peer);
  for (unsigned long round = 0;; ++round) {
    struct pollfd one = {fd, (short)(POLLIN | (closed ? 0 : POLLOUT)), 0};
    if (poll(&one, 1, 100) < 0 && errno != EINTR) _exit(98);
    if (one.revents & (POLLIN | POLLHUP | POLLERR)) {
      ssize_t count = read(fd, (char*)in_bytes + have, sizeof in_bytes - have);
      if (count == 0) return;
      if (count < 0) {
        snprintf(text, sizeof text, "broken: %s after %u\n", strerror(errno), in);
        report(text);
        _exit(97);
      }
      have += (size_t)count;
      for (size_t i = 0; i < have / 4; ++i) {
        if (in_bytes[i] == in++) continue;
        snprintf(text, sizeof text, "wrong: %u instead of %u\n", in_bytes[i], in - 1);
        report(text);
        _exit(96);
      }
      memmove(in_bytes, (char*)in_bytes + have / 4 * 4, have % 4);
      have %= 4;
    }
    if (!closed && (one.revents & POLLOUT)) {
      if (sent == filled) {
        for (size_t i = 0; i < 2048; ++i) out_bytes[i] = out++;
        filled = sizeof out_bytes;
        sent = 0;
        if (closes && access(stop, F_OK) == 0) {
          shutdown(fd, SHUT_WR);
          closed = 1;
          continue;
        }
      }
      ssize_t count = send(fd, (char*)out_bytes + sent, filled - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) sent += (size_t)count;
    }
    if (round % 1000 == 0) {
      snprintf(text, sizeof text, "in %u out %u pid %d names %s\n", in, out, (int)getpid(), same_names(fd) ? "same" : "changed");
      report(text);
    }
  }
}

int main(int count, char** words) {
  if (count < 5) return 2;
  int is_main = strcmp(words[1], "main") == 0, yes = 1;
  char text[200];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[3]))};
  inet_pton(AF_INET, words[2], &address.sin_addr);
  report_path = words[4];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (!is_main) {
    if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) {
      snprintf(text, sizeof text, "broken: connect: %s\n", strerror(errno));
      report(text);
      return 1;
    }
    talk(fd, 0);
    return 7;
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 4) != 0) {
    perror("talker");
    return 1;
  }
  pid_t worker = fork();
  if (worker == 0) {
    char other[4200];
    snprintf(other, sizeof other, "%s.worker", report_path);
    execl(words[5], words[5], words[6], words[0], "worker", words[2], words[3], other, (char*)0);
    perror(words[5]);
    _exit(127);
  }
  int connection = accept(fd, 0, 0);
  talk(connection, 1);
  int status = 0;
  if (waitpid(worker, &status, 0) != worker) status = -1;
  snprintf(text, sizeof text, "done %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  report(text);
  return 0;
}
