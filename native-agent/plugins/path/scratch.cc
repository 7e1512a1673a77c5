// Owns: the blocks; see scratch.h.
#include "scratch.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "state.h"

namespace cairn::path {
namespace {

constexpr uint32_t kWords = 4;
constexpr uint32_t kBlocks = kWords * 64;

alignas(64) char blocks[kBlocks][kScratchSize];
uint64_t taken[kWords];  // a bit each

}  // namespace

char *take_scratch() {
  for (uint32_t word = 0; word < kWords; ++word) {
    uint64_t seen = __atomic_load_n(&taken[word], __ATOMIC_RELAXED);
    while (~seen != 0) {
      uint64_t bit = ~seen & (seen + 1);
      if (!__atomic_compare_exchange_n(&taken[word], &seen, seen | bit, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) continue;
      return blocks[word * 64 + static_cast<uint32_t>(__builtin_ctzll(bit))];
    }
  }
  for (;;) {
    int64_t mapped = sys(SYS_mmap, 0, kScratchSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped > 0) return reinterpret_cast<char *>(static_cast<uintptr_t>(mapped));
    sys(SYS_sched_yield);
  }
}

void give_scratch(char *block) {
  if (block < blocks[0] || block >= blocks[0] + sizeof blocks) {
    sys(SYS_munmap, block, kScratchSize);
    return;
  }
  auto index = static_cast<uint32_t>(static_cast<size_t>(block - blocks[0]) / kScratchSize);
  __atomic_fetch_and(&taken[index / 64], ~(uint64_t{1} << (index % 64)), __ATOMIC_RELEASE);
}

}  // namespace cairn::path
