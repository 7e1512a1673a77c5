// What the compiler and nanopb expect of a C library, for a program that has none.
#include <stddef.h>
#include <stdint.h>

#include "sys/syscall.h"

extern "C" {

void* memcpy(void* __restrict target, const void* __restrict source, size_t size) {
  void* result = target;
  asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
  return result;
}

void* memset(void* target, int value, size_t size) {
  void* result = target;
  asm volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(value) : "memory");
  return result;
}

void* memmove(void* target, const void* source, size_t size) {
  auto* to = static_cast<char*>(target);
  auto* from = static_cast<const char*>(source);
  if (to <= from || to >= from + size) return memcpy(target, source, size);
  while (size-- > 0) {
    to[size] = from[size];
    asm volatile("" : : : "memory");  // or the compiler would make a call of memmove from it
  }
  return target;
}

int memcmp(const void* left, const void* right, size_t size) {
  auto* a = static_cast<const unsigned char*>(left);
  auto* b = static_cast<const unsigned char*>(right);
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

void* memchr(const void* data, int value, size_t size) {
  auto* bytes = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(bytes + i);
  }
  return nullptr;
}

size_t strlen(const char* text) {
  size_t size = 0;
  while (text[size] != 0) {
    ++size;
    asm volatile("" : : : "memory");
  }
  return size;
}

// nanopb refers to these for fields that are allocated; there are none here.
void* realloc(void*, size_t) { return nullptr; }
void free(void*) {}

[[noreturn]] void __stack_chk_fail() {
  cairn::sys::call_unchecked(SYS_exit_group, 70);
  __builtin_unreachable();
}
}
