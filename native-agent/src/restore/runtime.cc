// What the compiler and nanopb expect of a C library, for a program that has none, besides sys/bytes.cc.
#include <stddef.h>

#include "sys/syscall.h"

extern "C" {

// nanopb refers to these for fields that are allocated; there are none here.
void* realloc(void*, size_t) { return nullptr; }
void free(void*) {}

[[noreturn]] void __stack_chk_fail() {
  cairn::sys::call_unchecked(SYS_exit_group, 70);
  __builtin_unreachable();
}
}
