// See table.h. Chunks of memory are taken by compare-and-swap; a thread that is stopped anywhere in here leaves nothing that
// another one would wait for.
#include "table.h"

#include <string.h>
#include <sys/mman.h>

#include "state.h"

namespace cairn::path {
namespace {

constexpr size_t kBuckets = 1024;
constexpr size_t kChunk = 256 * 1024;

struct Chunk {
  size_t size;
  size_t used;
};

Entry *buckets[kBuckets];
Entry *last;
Chunk *chunk;
uint32_t counts[4];

uint32_t hash_of(Kind kind, const char *key, size_t length) {
  uint32_t hash = 2166136261u ^ static_cast<uint32_t>(kind);
  for (size_t i = 0; i < length; ++i) hash = (hash ^ static_cast<unsigned char>(key[i])) * 16777619u;
  return hash;
}

void *take(size_t bytes) {
  bytes = (bytes + 15) & ~size_t{15};
  for (;;) {
    Chunk *current = __atomic_load_n(&chunk, __ATOMIC_ACQUIRE);
    if (current != nullptr) {
      size_t start = __atomic_fetch_add(&current->used, bytes, __ATOMIC_RELAXED);
      if (start + bytes <= current->size) return reinterpret_cast<char *>(current) + start;
    }
    size_t size = bytes + sizeof(Chunk) > kChunk ? bytes + 4096 : kChunk;
    long mapped = state.host->syscall(SYS_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped < 0 && mapped > -4096) return nullptr;
    Chunk *fresh = reinterpret_cast<Chunk *>(mapped);
    fresh->size = size;
    fresh->used = (sizeof(Chunk) + 15) & ~size_t{15};
    if (!__atomic_compare_exchange_n(&chunk, &current, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      sys(SYS_munmap, mapped, size);
  }
}

bool matches(const Entry *entry, Kind kind, uint32_t hash, const char *key, size_t length) {
  return entry->hash == hash && entry->kind == kind && entry->key_length == length && memcmp(entry->key, key, length) == 0;
}

void push(Entry **head, Entry *entry, Entry *Entry::*link) {
  Entry *first = __atomic_load_n(head, __ATOMIC_RELAXED);
  do entry->*link = first;
  while (!__atomic_compare_exchange_n(head, &first, entry, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

}  // namespace

const char *keep(const char *text, size_t length) {
  char *copy = static_cast<char *>(take(length + 1));
  if (copy == nullptr) return nullptr;
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

Entry *find(Kind kind, const char *key, size_t length) {
  if (!any(kind)) return nullptr;
  uint32_t hash = hash_of(kind, key, length);
  Entry *entry = __atomic_load_n(&buckets[hash % kBuckets], __ATOMIC_ACQUIRE);
  while (entry != nullptr && !matches(entry, kind, hash, key, length)) entry = entry->next;
  return entry;
}

Entry *find_older(const Entry *entry) {
  Entry *older = entry->next;
  while (older != nullptr && !matches(older, entry->kind, entry->hash, entry->key, entry->key_length)) older = older->next;
  return older;
}

Entry *newest() { return __atomic_load_n(&last, __ATOMIC_ACQUIRE); }

bool any(Kind kind) { return __atomic_load_n(&counts[static_cast<uint32_t>(kind)], __ATOMIC_RELAXED) != 0; }

Entry *insert(Kind kind, const char *key, size_t length, const char *value, int32_t layer, const char *before,
              uint64_t since_ns, bool shadowed) {
  Entry *entry = static_cast<Entry *>(take(sizeof(Entry)));
  if (entry == nullptr) return nullptr;
  entry->key = keep(key, length);
  entry->value = keep(value, strlen(value));
  entry->before = keep(before, strlen(before));
  if (entry->key == nullptr || entry->value == nullptr || entry->before == nullptr) return nullptr;
  entry->since_ns = since_ns;
  entry->kind = kind;
  entry->hash = hash_of(kind, key, length);
  entry->key_length = static_cast<uint32_t>(length);
  entry->value_length = static_cast<uint32_t>(strlen(value));
  entry->layer = layer;
  entry->shadowed = shadowed;
  push(&buckets[entry->hash % kBuckets], entry, &Entry::next);
  push(&last, entry, &Entry::older);
  __atomic_fetch_add(&counts[static_cast<uint32_t>(kind)], 1, __ATOMIC_RELAXED);
  return entry;
}

}  // namespace cairn::path
