// A client's connection: bytes to messages and back. What it sends leaves when it is due, in the order in which it was added. Whatever a
// client sends, the worst is that its connection is closed.
#pragma once
#include <cstdint>
#include <deque>
#include <string>

#include "../client/protocol.h"

namespace emulator {

using Milliseconds = uint64_t;
using Microseconds = uint64_t;
Microseconds now_us();

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  bool over() const { return over_; }
  void end() { over_ = true; }

  /// Takes what has come.
  void read();
  /// The next whole message, if there is one.
  bool next(emu_message* message, std::string* text);

  void add(emu_message message, const std::string& text, Microseconds due);
  /// Sends what is due.
  void write(Microseconds now);
  /// When the next of it is; ~0: nothing waits.
  Microseconds due() const { return out_.empty() ? ~Microseconds{0} : out_.front().due; }
  /// Something is due that the socket does not take.
  bool full() const { return full_; }

  int slot = -1;
  std::string who;

 private:
  struct Waiting {
    Microseconds due;
    std::string bytes;
  };
  int fd_;
  bool over_ = false, full_ = false;
  std::string in_;
  std::deque<Waiting> out_;
};

}  // namespace emulator
