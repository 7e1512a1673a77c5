// Owns: memory for what one checkpoint notes, of sizes not known before. It is used again by the next checkpoint, since
// host->allocate never gives anything back: what grew once stays, and nothing grows with the number of checkpoints.
// [quiesced] take; [running, quiesced] reset. Part of the image.
#pragma once
#include <stdint.h>

#include "cairn/plugin.h"

namespace cairn::plugin {

class Pool {
 public:
  /// What was taken before is no longer valid.
  void reset() {
    for (Block* block = first_; block != nullptr; block = block->next) block->used = 0;
  }

  /// Not zeroed, aligned to 16. NULL: no memory.
  void* take(const cairn_host* host, uint64_t bytes) {
    uint64_t size = (bytes + 15) & ~uint64_t{15};
    // Where it fits best, so that the same wants find the same room again.
    Block* best = nullptr;
    for (Block* block = first_; block != nullptr; block = block->next) {
      if (left(block) >= size && (best == nullptr || left(block) < left(best))) best = block;
    }
    if (best != nullptr) return from(best, size);
    uint64_t whole = size > smallest ? size : smallest;
    auto* block = static_cast<Block*>(host->allocate(sizeof(Block) + whole));
    if (block == nullptr) return nullptr;
    *block = {first_, whole, 0, 0};
    first_ = block;
    return from(block, size);
  }

  /// A copy of a text, or NULL.
  const char* copy(const cairn_host* host, const char* text) {
    uint64_t size = 1;
    while (text[size - 1] != 0) ++size;
    auto* place = static_cast<char*>(take(host, size));
    for (uint64_t i = 0; place != nullptr && i < size; ++i) place[i] = text[i];
    return place;
  }

 private:
  struct Block {
    Block* next;
    uint64_t size;
    uint64_t used;
    uint64_t reserved;
  };
  static constexpr uint64_t smallest = 32 * 1024;

  static uint64_t left(const Block* block) { return block->size - block->used; }
  static void* from(Block* block, uint64_t size) {
    char* place = reinterpret_cast<char*>(block + 1) + block->used;
    block->used += size;
    return place;
  }

  Block* first_ = nullptr;
};

}  // namespace cairn::plugin
