#include "wire/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "sys/file.h"
#include "sys/futex.h"
#include "wire/sha256.h"

namespace cairn::wire {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Status;
using sys::Text;

constexpr uint64_t patience_ns = 5'000'000'000;
constexpr size_t nonce_size = 32;
constexpr char greeting[] = "CAIRN/1\n";
constexpr size_t greeting_size = sizeof greeting - 1;

struct Target {
  union {
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr any;
  } address;
  uint32_t size;
  uint8_t secret[secret_size];
};

bool parse_four(Text text, struct sockaddr_in* address) {
  sys::TextReader reader(text);
  auto* bytes = reinterpret_cast<uint8_t*>(&address->sin_addr);
  for (int i = 0; i < 4; ++i) {
    uint64_t value = 0;
    if ((i > 0 && !reader.skip('.')) || !reader.number(&value) || value > 255) return false;
    bytes[i] = static_cast<uint8_t>(value);
  }
  address->sin_family = AF_INET;
  return reader.done();
}

/// Groups, one "::", and the scope's number behind '%'.
bool parse_six(Text text, struct sockaddr_in6* address) {
  sys::TextReader parts(text);
  sys::TextReader reader(parts.until('%'));
  if (!parts.done()) {
    uint64_t scope = 0;
    if (!parts.number(&scope) || !parts.done()) return false;
    address->sin6_scope_id = static_cast<uint32_t>(scope);
  }
  uint16_t groups[8] = {};
  unsigned count = 0, gap = 8;
  if (reader.rest().starts_with("::")) {
    gap = 0;
    reader = sys::TextReader(reader.rest().from(2));
  }
  while (!reader.done()) {
    uint64_t value = 0;
    if (count == 8 || !reader.number(&value, 16) || value > 0xffff) return false;
    groups[count++] = static_cast<uint16_t>(value);
    if (reader.done()) break;
    if (!reader.skip(':')) return false;
    if (reader.skip(':')) {
      if (gap != 8) return false;
      gap = count;
    }
  }
  if (gap == 8 && count != 8) return false;
  auto* bytes = reinterpret_cast<uint8_t*>(&address->sin6_addr);
  for (unsigned i = 0; i < count; ++i) {
    unsigned place = i < gap ? i : 8 - count + i;
    bytes[2 * place] = static_cast<uint8_t>(groups[i] >> 8);
    bytes[2 * place + 1] = static_cast<uint8_t>(groups[i]);
  }
  address->sin6_family = AF_INET6;
  return true;
}

bool parse(Text text, Target* target) {
  sys::TextReader lines(text);
  if (!(lines.until('\n') == Text("cairn-coordinator 1"))) return false;
  sys::TextReader where(lines.until('\n'));
  Text address = where.until(' ');
  uint64_t port = 0;
  if (!where.number(&port) || port == 0 || port > 65535) return false;
  target->address = {};
  uint16_t big_endian = static_cast<uint16_t>((port >> 8) | (port << 8));
  if (parse_four(address, &target->address.four)) {
    target->address.four.sin_port = big_endian;
    target->size = sizeof target->address.four;
  } else {
    target->address = {};
    if (!parse_six(address, &target->address.six)) return false;
    target->address.six.sin6_port = big_endian;
    target->size = sizeof target->address.six;
  }
  return parse_secret(lines.until('\n'), target->secret);
}

Status read_target(const char* file, Target* target) {
  char text[512];
  long size = sys::read_all(file, text, sizeof text);
  if (failed(size)) return size == -ENXIO ? -ENOTSOCK : static_cast<Status>(size);
  bool good = parse(Text(text, static_cast<size_t>(size)), target);
  wipe(text, sizeof text);
  return good ? 0 : -ENOTSOCK;
}

Status wait_for(int fd, short events, uint64_t deadline_ns) {
  for (;;) {
    uint64_t now = sys::now_ns();
    if (now >= deadline_ns) return -ETIMEDOUT;
    struct timespec left = {static_cast<time_t>((deadline_ns - now) / 1000000000u), static_cast<long>((deadline_ns - now) % 1000000000u)};
    struct pollfd waiting = {fd, events, 0};
    long ready = call(SYS_ppoll, &waiting, 1, &left, nullptr, 8);
    if (ready > 0) return 0;
    if (failed(ready) && ready != -EINTR) return static_cast<Status>(ready);
  }
}

Status open_connection(int fd, const Target& target, uint64_t deadline_ns) {
  long result = call(SYS_connect, fd, &target.address, target.size);
  if (result == -EINPROGRESS || result == -EINTR) {
    if (Status status = wait_for(fd, POLLOUT, deadline_ns); status != 0) return status;
    int error = 0;
    uint32_t size = sizeof error;
    call_unchecked(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &size);
    result = -error;
  }
  return static_cast<Status>(result);
}

/// Requests and replies are small: none waits for another. A host that is gone is noticed.
void set_options(int fd) {
  constexpr int yes = 1, idle_s = 15, probes = 3, give_up_ms = 45'000;
  call_unchecked(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  call_unchecked(SYS_setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  call_unchecked(SYS_setsockopt, fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  call_unchecked(SYS_setsockopt, fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof idle_s);
  call_unchecked(SYS_setsockopt, fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  call_unchecked(SYS_setsockopt, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &give_up_ms, sizeof give_up_ms);
}

Status receive(int fd, uint8_t* bytes, size_t size, uint64_t deadline_ns) {
  while (size > 0) {
    if (Status status = wait_for(fd, POLLIN, deadline_ns); status != 0) return status;
    long count = call(SYS_recvfrom, fd, bytes, size, 0, nullptr, nullptr);
    if (count == -EINTR || count == -EAGAIN) continue;
    if (failed(count)) return static_cast<Status>(count);
    if (count == 0) return -ECONNRESET;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return 0;
}

void prove(const uint8_t* secret, const char* side, const uint8_t* server, const uint8_t* client, uint8_t* proof) {
  uint8_t text[6 + 2 * nonce_size];
  memcpy(text, side, 6);
  memcpy(text + 6, server, nonce_size);
  memcpy(text + 6 + nonce_size, client, nonce_size);
  hmac_sha256(secret, secret_size, text, sizeof text, proof);
}

Status send(int fd, const void* bytes, size_t size) {
  long sent = call(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, nullptr, 0);
  if (sent == static_cast<long>(size)) return 0;
  return failed(sent) ? static_cast<Status>(sent) : -EIO;
}

bool make_nonce(uint8_t* nonce) { return call(SYS_getrandom, nonce, nonce_size, 0) == static_cast<long>(nonce_size); }

}  // namespace

bool parse_secret(Text digits, uint8_t secret[secret_size]) {
  if (digits.size != 2 * secret_size) return false;
  for (size_t i = 0; i < secret_size; ++i) {
    uint64_t byte = 0;
    sys::TextReader pair(Text(digits.data + 2 * i, 2));
    if (!pair.number(&byte, 16) || !pair.done()) return false;
    secret[i] = static_cast<uint8_t>(byte);
  }
  return true;
}

Status read_secret(const char* file, uint8_t secret[secret_size]) {
  Target target = {};
  Status status = read_target(file, &target);
  memcpy(secret, target.secret, secret_size);
  wipe(&target, sizeof target);
  return status;
}

Status prove_as_client(int fd, const uint8_t secret[secret_size], uint64_t deadline_ns) {
  uint8_t theirs[greeting_size + nonce_size], ours[greeting_size + nonce_size + digest_size], expected[digest_size], answer[digest_size];
  if (Status status = receive(fd, theirs, sizeof theirs, deadline_ns); status != 0) return status;
  if (memcmp(theirs, greeting, greeting_size) != 0) return -EPROTO;
  memcpy(ours, greeting, greeting_size);
  uint8_t* nonce = ours + greeting_size;
  if (!make_nonce(nonce)) return -EIO;
  prove(secret, "client", theirs + greeting_size, nonce, nonce + nonce_size);
  prove(secret, "server", theirs + greeting_size, nonce, expected);
  if (Status status = send(fd, ours, sizeof ours); status != 0) return status;
  // Whoever does not take our proof closes.
  Status status = receive(fd, answer, sizeof answer, deadline_ns);
  if (status == -ECONNRESET || status == -EPIPE) return -EACCES;
  if (status != 0) return status;
  return same_digest(answer, expected) ? 0 : -EACCES;
}

Status prove_as_server(int fd, const uint8_t secret[secret_size], uint64_t deadline_ns) {
  uint8_t ours[greeting_size + nonce_size], theirs[greeting_size + nonce_size + digest_size], expected[digest_size];
  memcpy(ours, greeting, greeting_size);
  uint8_t* nonce = ours + greeting_size;
  if (!make_nonce(nonce)) return -EIO;
  if (Status status = send(fd, ours, sizeof ours); status != 0) return status;
  if (Status status = receive(fd, theirs, sizeof theirs, deadline_ns); status != 0) return status;
  if (memcmp(theirs, greeting, greeting_size) != 0) return -EPROTO;
  prove(secret, "client", nonce, theirs + greeting_size, expected);
  if (!same_digest(theirs + greeting_size + nonce_size, expected)) return -EACCES;
  prove(secret, "server", nonce, theirs + greeting_size, expected);
  return send(fd, expected, sizeof expected);
}

long connect_remote(const char* file) {
  Target target = {};
  Status status = read_target(file, &target);
  if (status != 0) return status;
  uint64_t deadline_ns = sys::now_ns() + patience_ns;
  sys::UniqueFd fd(call(SYS_socket, target.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  status = fd.status();
  if (status == 0) status = open_connection(fd.get(), target, deadline_ns);
  if (status == 0) set_options(fd.get());
  if (status == 0) status = prove_as_client(fd.get(), target.secret, deadline_ns);
  if (status == 0) status = static_cast<Status>(call(SYS_fcntl, fd.get(), F_SETFL, 0));
  wipe(&target, sizeof target);
  return status != 0 ? status : fd.release();
}

}  // namespace cairn::wire
