#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

uint64_t emu_now_ms(emu_syscall call) {
  struct timespec now = {0, 0};
  call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0, 0, 0);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void emu_pause(emu_syscall call, long ms) {
  struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
  call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
}

void emu_copy(char *buffer, size_t capacity, const char *text) {
  buffer[0] = 0;
  emu_add(buffer, capacity, text);
}

void emu_add(char *buffer, size_t capacity, const char *text) {
  size_t length = strlen(buffer);
  while (*text != 0 && length + 1 < capacity) buffer[length++] = *text++;
  buffer[length] = 0;
}

void emu_add_number(char *buffer, size_t capacity, uint64_t number) {
  char digits[24];
  size_t at = sizeof digits - 1;
  digits[at] = 0;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  emu_add(buffer, capacity, digits + at);
}

int emu_send(emu_syscall call, int fd, const struct emu_message *message, const char *text) {
  char bytes[sizeof *message + EMU_TEXT];
  struct emu_message header = *message;
  header.size = text != NULL ? (uint32_t)strnlen(text, EMU_TEXT) : 0;
  memcpy(bytes, &header, sizeof header);
  if (header.size > 0) memcpy(bytes + sizeof header, text, header.size);
  size_t size = sizeof header + header.size;
  for (size_t sent = 0; sent < size;) {
    long count = call(SYS_sendto, fd, (long)(bytes + sent), (long)(size - sent), MSG_NOSIGNAL, 0, 0);
    if (count == -EINTR) continue;
    if (count < 0) return (int)count;
    sent += (size_t)count;
  }
  return 0;
}

int emu_receive(emu_syscall call, int fd, struct emu_input *input, struct emu_message *message, char *text) {
  for (;;) {
    size_t wanted = sizeof *message;
    if (input->had >= sizeof *message) {
      memcpy(message, input->bytes, sizeof *message);
      if (message->size > EMU_TEXT) return -EPROTO;
      wanted += message->size;
      if (input->had == wanted) {
        memcpy(text, input->bytes + sizeof *message, message->size);
        text[message->size] = 0;
        input->had = 0;
        return 1;
      }
    }
    long count = call(SYS_recvfrom, fd, (long)(input->bytes + input->had), (long)(wanted - input->had), MSG_DONTWAIT, 0, 0);
    if (count == -EINTR) continue;
    if (count == -EAGAIN) return 0;
    if (count <= 0) return count == 0 ? -ECONNRESET : (int)count;
    input->had += (uint32_t)count;
  }
}

int emu_wait(emu_syscall call, int fd, uint64_t deadline_ms) {
  for (;;) {
    uint64_t now = emu_now_ms(call);
    if (now >= deadline_ms) return -ETIMEDOUT;
    struct pollfd wanted = {fd, POLLIN, 0};
    struct timespec rest = {(time_t)((deadline_ms - now) / 1000), (long)((deadline_ms - now) % 1000 * 1000000)};
    long ready = call(SYS_ppoll, (long)&wanted, 1, (long)&rest, 0, 0, 0);
    if (ready > 0) return 0;
    if (ready < 0 && ready != -EINTR) return (int)ready;
  }
}

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

int emu_connect(emu_syscall call, const char *text, uint64_t deadline_ms) {
  struct sockaddr_in address;
  int error = read_address(text, &address);
  if (error < 0) return error;
  long fd = call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0, 0);
  if (fd < 0) return (int)fd;
  error = (int)call(SYS_connect, fd, (long)&address, sizeof address, 0, 0, 0);
  if (error == -EINPROGRESS) {
    struct pollfd wanted = {(int)fd, POLLOUT, 0};
    uint64_t now = emu_now_ms(call), rest_ms = deadline_ms > now ? deadline_ms - now : 0;
    struct timespec rest = {(time_t)(rest_ms / 1000), (long)(rest_ms % 1000 * 1000000)};
    long ready = call(SYS_ppoll, (long)&wanted, 1, (long)&rest, 0, 0, 0);
    int result = 0;
    socklen_t size = sizeof result;
    if (ready > 0) call(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, (long)&result, (long)&size, 0);
    error = ready > 0 ? -result : ready == 0 ? -ETIMEDOUT : (int)ready;
  }
  int on = 1;
  if (error == 0) error = (int)call(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, (long)&on, sizeof on, 0);
  if (error == 0) error = (int)call(SYS_fcntl, fd, F_SETFL, 0, 0, 0, 0);
  if (error == 0) return (int)fd;
  call(SYS_close, fd, 0, 0, 0, 0, 0);
  return error;
}

int emu_ask(emu_syscall call, int fd, struct emu_input *input, struct emu_message *message, char *text, uint16_t answer,
            uint64_t deadline_ms) {
  uint16_t asked = message->kind;
  int error = emu_send(call, fd, message, text);
  while (error == 0) {
    error = emu_receive(call, fd, input, message, text);
    if (error == 1) {
      if (message->kind == answer) return 0;
      return message->kind == EMU_REFUSED && message->argument == asked ? -EACCES : -EPROTO;
    }
    if (error == 0) error = emu_wait(call, fd, deadline_ms);
  }
  return error;
}
