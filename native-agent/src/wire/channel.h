// One stream connection to the coordinator: whole frames in, whole frames out, with deadlines.
// Context: Cairn's own thread, or the thread that runs the constructor before that one exists. Not thread-safe.
#pragma once
#include "sys/error.h"
#include "sys/file.h"
#include "sys/own_fds.h"
#include "wire/codec.h"

namespace cairn::wire {

inline constexpr size_t max_frame = 1 << 20;

class Channel {
 public:
  /// Buffers for one outgoing and for incoming frames: max_frame + 4 bytes each.
  void use_buffers(char* incoming, char* outgoing) {
    incoming_ = incoming;
    outgoing_ = outgoing;
  }
  /// Connects to a Unix socket, or to where the file at its place says (remote.h).
  sys::Status connect(const char* path);
  /// Only to a Unix socket, and only if nobody has to be waited for.
  sys::Status connect_at_once(const char* path);
  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  void close();
  /// The connection has another number now.
  void renumber(int fd) { fd_ = fd; }
  /// Gives the connection up without touching the descriptor, which is no longer ours (after a fork or a restart).
  void forget() {
    fd_ = -1;
    filled_ = consumed_ = 0;
    forget_unsent();
  }

  sys::Status send(uint64_t id, uint32_t field, const pb_msgdesc_t* type, const void* message);
  /// As send, but it may go out later: with what is sent next, by flush(), or before something is waited for. Each message that goes out by
  /// itself wakes the other side, which takes a processor from whom it is to answer.
  sys::Status put(uint64_t id, uint32_t field, const pb_msgdesc_t* type, const void* message);
  sys::Status flush();
  /// In a copy of the process: the original sends that.
  void forget_unsent() { unsent_ = 0; }
  /// The next message; its body lives until the next receive. 0, -ETIMEDOUT, -ECONNRESET at the end, -EPROTO, -errno.
  /// deadline: CLOCK_MONOTONIC in ns; 0 = wait for ever.
  sys::Status receive(Envelope* envelope, uint64_t deadline_ns);
  /// Takes and forgets what comes, until the other side ends the connection or the deadline is over: an end with something unread could
  /// take from the other side what it has not read yet.
  void wait_for_end(uint64_t deadline_ns);
  /// true: receive would not have to wait for the first byte of the next frame.
  [[nodiscard]] bool has_input() const { return filled_ > consumed_; }

 private:
  sys::Status fill(size_t wanted, uint64_t deadline_ns);
  void take(sys::UniqueFd fd);

  int fd_ = -1;
  char* incoming_ = nullptr;
  char* outgoing_ = nullptr;
  size_t filled_ = 0;    // bytes in incoming_
  size_t consumed_ = 0;  // of them, those of frames handed out
  size_t unsent_ = 0;    // bytes in outgoing_: whole frames
};

}  // namespace cairn::wire
