// Memory for the records and queues: taken from the host once, used again by every checkpoint, so that snapshots do not grow.
// [quiesced] Test: the probes' five cycles compare the size.
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

struct Chunk {
  Chunk* next;
  uint64_t size;
  uint64_t used;
};

Chunk* chunks = nullptr;
constexpr uint64_t usual_size = 64 * 1024;

}  // namespace

void* take_memory(uint64_t size) {
  size = (size + 15) & ~uint64_t{15};
  Chunk** place = &chunks;
  for (; *place != nullptr; place = &(*place)->next) {
    if ((*place)->size - (*place)->used >= size) break;
  }
  if (*place == nullptr) {
    uint64_t wanted = ((sizeof(Chunk) + 15) & ~uint64_t{15}) + size;
    if (wanted < usual_size) wanted = usual_size;
    auto* made = static_cast<Chunk*>(host->allocate(wanted));
    if (made == nullptr) return nullptr;
    *made = {nullptr, wanted, (sizeof(Chunk) + 15) & ~uint64_t{15}};
    *place = made;
  }
  Chunk* chunk = *place;
  char* memory = reinterpret_cast<char*>(chunk) + chunk->used;
  chunk->used += size;
  for (uint64_t i = 0; i < size; ++i) memory[i] = 0;
  return memory;
}

void release_memory() {
  for (Chunk* chunk = chunks; chunk != nullptr; chunk = chunk->next) chunk->used = (sizeof(Chunk) + 15) & ~uint64_t{15};
}

}  // namespace cairn::sockets
