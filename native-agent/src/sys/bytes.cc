// Owns: the functions for memory and text that compilers and nanopb expect of a C library. The restorer has no other. The agent has its
// own so that nothing that belongs to the program runs in its thread: sanitizers put functions of their own in the place of libc's, which
// want a thread that they know (test/programs/sanitizers.test.ts), and a debugger may have a breakpoint in them. Hidden: nobody else sees them.
// Context: any.
#include <stddef.h>
#include <stdint.h>

#define CAIRN_OWN extern "C" __attribute__((visibility("hidden")))

namespace {

using Word [[gnu::may_alias]] = uint64_t;

/// From here on the processor's own instruction is the faster one.
constexpr size_t many = 256;

/// Keeps the compiler from making a call of the function itself from a loop.
[[gnu::always_inline]] inline void as_written() { asm volatile("" : : : "memory"); }

[[gnu::always_inline]] inline Word load(const void* from) {
  Word word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}
[[gnu::always_inline]] inline void store(void* to, Word word) { __builtin_memcpy(to, &word, sizeof word); }

}  // namespace

CAIRN_OWN void* memcpy(void* __restrict target, const void* __restrict source, size_t size) {
  if (size >= many) {
    void* to = target;
    asm volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(size) : : "memory");
    return target;
  }
  auto* to = static_cast<char*>(target);
  auto* from = static_cast<const char*>(source);
  for (; size >= sizeof(Word); size -= sizeof(Word), to += sizeof(Word), from += sizeof(Word)) {
    store(to, load(from));
    as_written();
  }
  for (; size > 0; --size) {
    *to++ = *from++;
    as_written();
  }
  return target;
}

CAIRN_OWN void* memset(void* target, int value, size_t size) {
  if (size >= many) {
    void* to = target;
    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return target;
  }
  auto* to = static_cast<char*>(target);
  Word word = static_cast<unsigned char>(value) * Word{0x0101010101010101};
  for (; size >= sizeof(Word); size -= sizeof(Word), to += sizeof(Word)) {
    store(to, word);
    as_written();
  }
  for (; size > 0; --size) {
    *to++ = static_cast<char>(value);
    as_written();
  }
  return target;
}

CAIRN_OWN void* memmove(void* target, const void* source, size_t size) {
  auto* to = static_cast<char*>(target);
  auto* from = static_cast<const char*>(source);
  if (to <= from || to >= from + size) {
    // Forwards; memcpy by words would read what it has written where the two are close.
    if (to + sizeof(Word) <= from || to >= from + size || to == from) return memcpy(target, source, size);
    for (size_t i = 0; i < size; ++i) {
      to[i] = from[i];
      as_written();
    }
    return target;
  }
  while (size-- > 0) {
    to[size] = from[size];
    as_written();
  }
  return target;
}

CAIRN_OWN int memcmp(const void* left, const void* right, size_t size) {
  auto* a = static_cast<const unsigned char*>(left);
  auto* b = static_cast<const unsigned char*>(right);
  for (; size >= sizeof(Word) && load(a) == load(b); size -= sizeof(Word), a += sizeof(Word), b += sizeof(Word)) as_written();
  for (; size > 0; --size, ++a, ++b) {
    if (*a != *b) return *a < *b ? -1 : 1;
  }
  return 0;
}

CAIRN_OWN void* memchr(const void* data, int value, size_t size) {
  auto* bytes = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(bytes + i);
  }
  return nullptr;
}

CAIRN_OWN size_t strlen(const char* text) {
  size_t size = 0;
  while (text[size] != 0) {
    ++size;
    as_written();
  }
  return size;
}

CAIRN_OWN size_t strnlen(const char* text, size_t most) {
  size_t size = 0;
  while (size < most && text[size] != 0) {
    ++size;
    as_written();
  }
  return size;
}

CAIRN_OWN int strncmp(const char* left, const char* right, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    auto a = static_cast<unsigned char>(left[i]), b = static_cast<unsigned char>(right[i]);
    if (a != b) return a < b ? -1 : 1;
    if (a == 0) break;
  }
  return 0;
}

CAIRN_OWN int strcmp(const char* left, const char* right) { return strncmp(left, right, SIZE_MAX); }

CAIRN_OWN char* strchrnul(const char* text, int value) {
  while (*text != 0 && *text != static_cast<char>(value)) ++text;
  return const_cast<char*>(text);
}

CAIRN_OWN char* strchr(const char* text, int value) {
  char* found = strchrnul(text, value);
  return *found == static_cast<char>(value) ? found : nullptr;
}

CAIRN_OWN char* strrchr(const char* text, int value) {
  const char* found = nullptr;
  do {
    if (*text == static_cast<char>(value)) found = text;
  } while (*text++ != 0);
  return const_cast<char*>(found);
}

CAIRN_OWN char* strstr(const char* text, const char* wanted) {
  size_t size = strlen(wanted);
  for (; strncmp(text, wanted, size) != 0; ++text) {
    if (*text == 0) return nullptr;
  }
  return const_cast<char*>(text);
}

CAIRN_OWN size_t strcspn(const char* text, const char* ends) {
  size_t size = 0;
  while (text[size] != 0 && strchr(ends, text[size]) == nullptr) ++size;
  return size;
}

CAIRN_OWN char* strncpy(char* __restrict target, const char* __restrict source, size_t size) {
  size_t length = strnlen(source, size);
  memcpy(target, source, length);
  memset(target + length, 0, size - length);
  return target;
}
