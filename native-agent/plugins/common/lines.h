// Owns: reading a file of /proc line by line, however long it is. [quiesced] Raw system calls; a line that is too long is cut.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"

namespace cairn::plugin {

class Lines {
 public:
  Lines(const cairn_host* host, const char* path) : host_(host) {
    fd_ = host->syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDONLY | O_CLOEXEC, 0, 0, 0);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() {
    if (fd_ >= 0) host_->syscall(SYS_close, fd_, 0, 0, 0, 0, 0);
  }

  /// 0, or why it could not be opened.
  [[nodiscard]] int32_t error() const { return fd_ < 0 ? static_cast<int32_t>(fd_) : 0; }

  /// The next line without its end, valid until the next call; NULL: there is none.
  const char* next() {
    uint32_t length = 0;
    for (;;) {
      if (at_ == size_) {
        size_ = host_->syscall(SYS_read, fd_, reinterpret_cast<long>(buffer_), sizeof buffer_, 0, 0, 0);
        at_ = 0;
        if (size_ == -EINTR) size_ = 0;
        else if (size_ <= 0) {
          size_ = 0;
          if (length == 0) return nullptr;
          break;
        }
        continue;
      }
      char letter = buffer_[at_++];
      if (letter == '\n') break;
      if (length + 1 < sizeof line_) line_[length++] = letter;
    }
    line_[length] = 0;
    return line_;
  }

 private:
  const cairn_host* host_;
  long fd_;
  long at_ = 0;
  long size_ = 0;
  char buffer_[2048];
  char line_[512];
};

}  // namespace cairn::plugin
