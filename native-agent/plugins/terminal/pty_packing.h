// Puts as many bytes into a pseudo-terminal's queue as can ever have been in it. In front of the line discipline's buffer the kernel keeps
// what is written in blocks that it makes as large as each write, up to piece, and of which it counts the sizes: it makes another one as
// long as they are not more than limit. What is written with other bounds than these may find less room than what lay there, and the rest
// would be lost.
// Context: quiesced, restoring. Test: test/probes/terminal/cut_writes.c.
#pragma once
#include <stdint.h>

namespace cairn::terminal {

class Packing {
 public:
  explicit Packing(int32_t fd) : fd_(fd) {}
  /// 0 or -errno. What is added is written when a block is full.
  int32_t add(const char* bytes, uint32_t size);
  /// The rest.
  int32_t end() { return write(); }

 private:
  static constexpr uint32_t piece = 1792, limit = 8192;
  int32_t write();

  int32_t fd_;
  uint32_t written_ = 0;
  uint32_t filled_ = 0;
  char block_[piece];
};

}  // namespace cairn::terminal
