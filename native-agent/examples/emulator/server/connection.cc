#include "connection.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace emulator {

namespace {
constexpr size_t most_waiting = 1'000'000;
}

Microseconds now_us() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Microseconds>(now.tv_sec) * 1'000'000 + static_cast<Microseconds>(now.tv_nsec) / 1000;
}

Connection::~Connection() { close(fd_); }

void Connection::read() {
  char bytes[65536];
  const ssize_t count = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (count > 0) in_.append(bytes, static_cast<size_t>(count));
  else if (count == 0 || (errno != EAGAIN && errno != EINTR)) over_ = true;
}

bool Connection::next(emu_message* message, std::string* text) {
  if (over_ || in_.size() < sizeof *message) return false;
  std::memcpy(message, in_.data(), sizeof *message);
  if (message->size > EMU_TEXT) {
    over_ = true;
    return false;
  }
  if (in_.size() < sizeof *message + message->size) return false;
  *text = in_.substr(sizeof *message, message->size);
  in_.erase(0, sizeof *message + message->size);
  return true;
}

void Connection::add(emu_message message, const std::string& text, Microseconds due) {
  if (out_.size() >= most_waiting) {
    over_ = true;
    return;
  }
  message.size = static_cast<uint32_t>(std::min<size_t>(text.size(), EMU_TEXT));
  std::string bytes(reinterpret_cast<const char*>(&message), sizeof message);
  bytes.append(text, 0, message.size);
  if (!out_.empty()) due = std::max(due, out_.back().due);
  out_.push_back({due, std::move(bytes)});
}

void Connection::write(Microseconds now) {
  full_ = false;
  while (!over_ && !out_.empty() && out_.front().due <= now) {
    std::string& bytes = out_.front().bytes;
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      full_ = errno == EAGAIN || errno == EINTR;
      over_ = !full_;
      return;
    }
    bytes.erase(0, static_cast<size_t>(count));
    if (bytes.empty()) out_.pop_front();
  }
}

}  // namespace emulator
