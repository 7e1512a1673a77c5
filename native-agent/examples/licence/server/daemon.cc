#include "daemon.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace licence {
namespace {

constexpr size_t most_connections = 512;

uint64_t now_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

std::string text_of(const char (&text)[LIC_NAME]) {
  std::string found(text, strnlen(text, LIC_NAME));
  // It is printed, and shown to others.
  for (char& c : found) {
    if (c < ' ' || c > '~') c = '?';
  }
  return found;
}

}  // namespace

void Daemon::run() {
  std::vector<pollfd> wanted;
  for (;;) {
    wanted.assign(1, {listening_, POLLIN, 0});
    for (const auto& [fd, connection] : connections_) wanted.push_back({fd, POLLIN, 0});
    poll(wanted.data(), wanted.size(), time_to_wait());
    seats_.end_overdue(now_ms());
    for (const pollfd& one : wanted) {
      if (one.revents == 0) continue;
      if (one.fd == listening_) accept_one();
      else read_from(one.fd);
    }
    send_due();
  }
}

int Daemon::time_to_wait() const {
  uint64_t next = seats_.next_end();
  for (const Answer& one : answers_) next = std::min(next, one.due);
  const uint64_t now = now_ms();
  if (next == UINT64_MAX) return -1;
  return next <= now ? 0 : static_cast<int>(std::min<uint64_t>(next - now, 60000));
}

void Daemon::accept_one() {
  const int fd = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (connections_.size() < most_connections) connections_[fd];
  else close(fd);
}

void Daemon::close_connection(int fd) {
  answers_.erase(std::remove_if(answers_.begin(), answers_.end(), [&](const Answer& one) { return one.connection == fd; }), answers_.end());
  connections_.erase(fd);
  seats_.closed(fd, now_ms());
  close(fd);
}

void Daemon::read_from(int fd) {
  Connection& from = connections_[fd];
  for (;;) {
    const ssize_t count = recv(fd, reinterpret_cast<char*>(&from.request) + from.had, sizeof from.request - from.had, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return close_connection(fd);
    from.had += static_cast<size_t>(count);
    if (from.had >= sizeof from.request.magic && from.request.magic != LIC_MAGIC) return close_connection(fd);
    if (from.had < sizeof from.request) continue;
    from.had = 0;
    answer(fd, from.request);
  }
}

Outcome Daemon::decide(int fd, const lic_request& request, lic_answer* answer) {
  const Holder holder = {text_of(request.feature), text_of(request.host), text_of(request.session), text_of(request.who)};
  const uint64_t now = now_ms();
  switch (request.kind) {
    case LIC_CHECKOUT: return seats_.check_out(holder, request.hold_ms, fd, now);
    case LIC_RENEW: return seats_.renew(request.lease, holder, request.hold_ms, fd, now);
    case LIC_PAUSE: return seats_.pause(request.lease, holder, request.hold_ms, now);
    case LIC_RETURN: return seats_.give_back(request.lease, holder, now);
    case LIC_STATUS: break;
    default: return {LIC_REFUSED, 0, "it does not know such a request"};
  }
  const Feature* feature = seats_.feature(holder.feature);
  if (feature == nullptr) return {LIC_REFUSED, 0, "there is no licence for " + holder.feature};
  const Usage usage = seats_.usage(*feature);
  answer->seats = usage.seats;
  answer->used = usage.used;
  answer->kept = usage.kept;
  return {LIC_GRANTED, 0, seats_.describe(*feature)};
}

void Daemon::answer(int fd, const lic_request& request) {
  const Fault fault = faults_.at(request.kind);
  if (fault.deviation == Deviation::die) std::_Exit(9);
  Answer one = {fd, now_ms() + fault.late_ms, {}};
  lic_answer& message = one.message;
  message.magic = LIC_MAGIC;
  message.kind = request.kind;
  const Outcome outcome = fault.deviation == Deviation::refuse ? Outcome{LIC_REFUSED, 0, "not now"} : decide(fd, request, &message);
  message.result = outcome.result;
  message.lease = outcome.lease;
  message.lease_ms = static_cast<uint32_t>(seats_.lease_ms());
  std::memcpy(message.nonce, request.nonce, sizeof message.nonce);
  outcome.why.copy(message.text, sizeof message.text - 1);
  if (fault.deviation == Deviation::forge) Key().sign(&message);
  else key_.sign(&message);
  answers_.push_back(one);
}

void Daemon::send_due() {
  const uint64_t now = now_ms();
  std::vector<int> broken;
  for (size_t i = 0; i < answers_.size();) {
    const Answer& one = answers_[i];
    if (one.due > now) {
      ++i;
      continue;
    }
    // A client that asks without reading answers is cut off.
    if (send(one.connection, &one.message, sizeof one.message, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof one.message)) {
      broken.push_back(one.connection);
    }
    answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (int fd : broken) {
    if (connections_.count(fd) > 0) close_connection(fd);
  }
}

}  // namespace licence
