#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

static struct timespec span(uint64_t ms) { return (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000 * 1000000)}; }

uint64_t lic_machine_ms(lic_syscall call) {
  struct timespec now = {0, 0};
  call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0, 0, 0);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void lic_copy(char *buffer, size_t capacity, const char *text) {
  buffer[0] = 0;
  lic_add(buffer, capacity, text);
}

void lic_add(char *buffer, size_t capacity, const char *text) {
  size_t length = strlen(buffer);
  while (*text != 0 && length + 1 < capacity) buffer[length++] = *text++;
  buffer[length] = 0;
}

/* 0 when it is ready; -ETIMEDOUT, or another -errno. */
static int wait_until(lic_syscall call, int fd, short events, uint64_t deadline_ms) {
  for (;;) {
    uint64_t now = lic_machine_ms(call);
    if (now >= deadline_ms) return -ETIMEDOUT;
    struct pollfd wanted = {fd, events, 0};
    struct timespec rest = span(deadline_ms - now);
    long ready = call(SYS_ppoll, (long)&wanted, 1, (long)&rest, 0, 0, 0);
    if (ready > 0) return 0;
    if (ready < 0 && ready != -EINTR) return (int)ready;
  }
}

int lic_wait_for_input(lic_syscall call, int fd, uint64_t deadline_ms) { return wait_until(call, fd, POLLIN, deadline_ms); }

static int read_address(const char *text, struct sockaddr_in *address) {
  unsigned part[5] = {0}, count = 0;
  for (const char *at = text; *at != 0; ++at) {
    if (*at >= '0' && *at <= '9') part[count] = part[count] * 10 + (unsigned)(*at - '0');
    else if (*at != (count == 3 ? ':' : '.') || ++count > 4) return -EINVAL;
    if (part[count] > (count < 4 ? 255u : 65535u)) return -EINVAL;
  }
  if (count != 4) return -EINVAL;
  memset(address, 0, sizeof *address);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3]);
  address->sin_port = htons((uint16_t)part[4]);
  return 0;
}

int lic_connect(lic_syscall call, const char *text, uint64_t deadline_ms) {
  struct sockaddr_in address;
  int error = read_address(text, &address);
  if (error < 0) return error;
  int fd = (int)call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0, 0);
  if (fd < 0) return fd;
  error = (int)call(SYS_connect, fd, (long)&address, sizeof address, 0, 0, 0);
  if (error == -EINPROGRESS) {
    int result = 0;
    socklen_t size = sizeof result;
    error = wait_until(call, fd, POLLOUT, deadline_ms);
    if (error == 0) error = (int)call(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, (long)&result, (long)&size, 0);
    if (error == 0) error = -result;
  }
  int on = 1;
  if (error == 0) error = (int)call(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, (long)&on, sizeof on, 0);
  if (error == 0) error = (int)call(SYS_fcntl, fd, F_SETFL, 0, 0, 0, 0);
  if (error == 0) return fd;
  call(SYS_close, fd, 0, 0, 0, 0, 0);
  return error;
}

int lic_send(lic_syscall call, int fd, const void *data, size_t size) {
  for (const char *at = data; size > 0;) {
    long count = call(SYS_sendto, fd, (long)at, (long)size, MSG_NOSIGNAL, 0, 0);
    if (count == -EINTR) continue;
    if (count < 0) return (int)count;
    at += count;
    size -= (size_t)count;
  }
  return 0;
}

int lic_receive(lic_syscall call, int fd, void *data, size_t size, uint32_t *had) {
  while (*had < size) {
    long count = call(SYS_recvfrom, fd, (long)((char *)data + *had), (long)(size - *had), MSG_DONTWAIT, 0, 0);
    if (count == -EINTR) continue;
    if (count == -EAGAIN) return 0;
    if (count <= 0) return count == 0 ? -ECONNRESET : (int)count;
    *had += (uint32_t)count;
  }
  *had = 0;
  return 1;
}

void lic_sleep_on(lic_syscall call, uint32_t *word, uint32_t value, uint64_t ms) {
  struct timespec rest = span(ms);
  call(SYS_futex, (long)word, FUTEX_WAIT, value, (long)&rest, 0, 0);
}

void lic_wake(lic_syscall call, uint32_t *word) { call(SYS_futex, (long)word, FUTEX_WAKE, INT_MAX, 0, 0, 0); }
