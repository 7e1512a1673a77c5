// The jumps of events/entries.h: five bytes, to a stub that is near enough, which pushes the entry's address and goes on in code that keeps
// all registers, unless the call is one of those to be skipped. Compilers may know which registers a function of the same program leaves alone, so that none may change, vectors included.
//
// They are put back in three steps, each of which leaves an instruction that may be met at any moment: the jump's first byte is made that of a
// short jump, whose distance is the low byte of the long one's; stubs lie so that this is -2, and the function begins with a jump to itself.
// Then the bytes behind that, and the first two at once.
#include "events/entries.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "events/x86_64/moved_code.h"
#include "sys/file.h"

extern "C" {
[[gnu::visibility("hidden")]] extern const char cairn_entry_called[];
/// Components of the processor's state that XSAVE is asked for: all up to AVX-512; 0: there is no XSAVE.
[[gnu::visibility("hidden")]] uint32_t cairn_entry_features = 0;
}

// rbp + 8: the entry, and later where to go on; rbp + 16: the caller.
asm(R"(
.pushsection .text
.balign 16
.hidden cairn_entry_called
.globl cairn_entry_called
.type cairn_entry_called, @function
cairn_entry_called:
    .cfi_startproc
    .cfi_def_cfa_offset 16
    endbr64
    push %rbp
    .cfi_def_cfa_offset 24
    .cfi_offset %rbp, -24
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    pushf
    push %rax
    push %r10
    push %r11
    push %r9
    push %r8
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    cld
    mov %rsp, %rsi
    sub $2816, %rsp
    and $-64, %rsp
    xor %eax, %eax
    xor %edx, %edx
    mov %rax, 512(%rsp)
    mov %rax, 520(%rsp)
    mov %rax, 528(%rsp)
    mov %rax, 536(%rsp)
    mov %rax, 544(%rsp)
    mov %rax, 552(%rsp)
    mov %rax, 560(%rsp)
    mov %rax, 568(%rsp)
    mov cairn_entry_features(%rip), %eax
    test %eax, %eax
    jz 1f
    xsave64 (%rsp)
    jmp 2f
1:  fxsave64 (%rsp)
2:  mov 8(%rbp), %rdi
    call cairn_entry_reached
    mov %eax, %r11d
    xor %edx, %edx
    mov cairn_entry_features(%rip), %eax
    test %eax, %eax
    jz 3f
    xrstor64 (%rsp)
    jmp 4f
3:  fxrstor64 (%rsp)
4:  lea -80(%rbp), %rsp
    test %r11d, %r11d
    jnz 5f
    mov 8(%rbp), %rax
    mov 48(%rax), %rax
    mov %rax, 8(%rbp)
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %r8
    pop %r9
    pop %r11
    pop %r10
    pop %rax
    popf
    pop %rbp
    .cfi_remember_state
    .cfi_def_cfa %rsp, 16
    ret
    .cfi_restore_state
5:  pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %r8
    pop %r9
    pop %r11
    pop %r10
    pop %rax
    popf
    pop %rbp
    .cfi_def_cfa %rsp, 16
    lea 8(%rsp), %rsp
    .cfi_def_cfa_offset 8
    mov $0, %eax
    ret
    .cfi_endproc
.size cairn_entry_called, . - cairn_entry_called
.popsection
)");

namespace cairn::events {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::page_down;
using sys::page_size;

static_assert(offsetof(cairn_entry, original) == 48 && offsetof(cairn_entry, skip) == 56, "as above and below");

constexpr uint32_t jump_size = 5;
constexpr uint32_t stub_size = 66;
constexpr uint64_t slot_size = 512;  // a stub wherever its low byte has to be, and moved instructions
constexpr uint64_t moved_at = 336, most_moved = 64;
static_assert(0xff + stub_size <= moved_at && moved_at + most_moved + 14 <= slot_size);
constexpr uint64_t reach = 0x7ff00000;

uint64_t room = 0;  // a page of stubs
uint64_t room_used = 0;

bool reaches(uint64_t from, uint64_t to) { return (from > to ? from - to : to - from) < reach; }

uint64_t map_at(uint64_t address) {
  long result = call(SYS_mmap, address, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (failed(result)) return 0;
  if (static_cast<uint64_t>(result) == address) return address;
  call_unchecked(SYS_munmap, result, page_size);
  return 0;
}

/// Below the program there is nothing as a rule; above it, its heap grows.
uint64_t map_near(uint64_t function) {
  constexpr uint64_t step = 64 * 1024, lowest = 64 * 1024, large_step = 16 << 20;
  const uint64_t start = function & ~(step - 1);
  for (uint64_t away = step; away < reach && start > lowest + away; away += step) {
    uint64_t found = map_at(start - away);
    if (found != 0) return found;
  }
  for (uint64_t away = reach / 2; away + large_step < reach; away += large_step) {
    uint64_t found = map_at(start + away);
    if (found != 0) return found;
  }
  return 0;
}

void read_features() {
  constexpr uint32_t up_to_avx512 = 0xe7, os_uses_xsave = 1u << 27;
  uint32_t a = 0, b = 0, c = 0, d = 0;
  cairn_entry_features = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & os_uses_xsave) == 0) return;
  asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  cairn_entry_features = a & up_to_avx512;
}

void write_stub(unsigned char* at, cairn_entry* entry) {
  // None of these changes a flag.
  const unsigned char code[42] = {
      0x50,                                // push %rax
      0x51,                                // push %rcx
      0x48, 0x8b, 0x05, 33, 0, 0, 0,       // mov entry(%rip), %rax
      0x8b, 0x48, 0x38,                    // mov 56(%rax), %ecx
      0xe3, 14,                            // jrcxz 1f
      0x8d, 0x49, 0xff,                    // lea -1(%rcx), %ecx
      0x89, 0x48, 0x38,                    // mov %ecx, 56(%rax)
      0x59,                                // pop %rcx
      0x58,                                // pop %rax
      0xff, 0x25, 30, 0, 0, 0,             // jmp *original(%rip)
      0x59,                                // 1: pop %rcx
      0x58,                                // pop %rax
      0xff, 0x35, 6, 0, 0, 0,              // push entry(%rip)
      0xff, 0x25, 8, 0, 0, 0,              // jmp *called(%rip)
  };
  const uint64_t addresses[3] = {
      reinterpret_cast<uintptr_t>(entry),
      reinterpret_cast<uintptr_t>(cairn_entry_called),
      reinterpret_cast<uintptr_t>(entry->original),
  };
  memcpy(at, code, sizeof code);
  memcpy(at + sizeof code, addresses, sizeof addresses);
  static_assert(sizeof code + sizeof addresses == stub_size);
}

/// The function's first instructions, and on with the rest of it. 0: they cannot be moved.
uint32_t write_moved(unsigned char* at, uint64_t function) {
  const uint32_t size = move_code(reinterpret_cast<const unsigned char*>(function), at, jump_size, most_moved);
  if (size == 0) return 0;
  // jmp *address(%rip)
  const unsigned char code[6] = {0xff, 0x25, 0, 0, 0, 0};
  const uint64_t rest = function + size;
  memcpy(at + size, code, sizeof code);
  memcpy(at + size + sizeof code, &rest, sizeof rest);
  return size;
}

/// The pages of the function's first bytes may be written, or no more.
bool protect(uint64_t function, bool write) {
  const uint64_t start = page_down(function), end = sys::page_up(function + jump_size);
  return !failed(call(SYS_mprotect, start, end - start, PROT_READ | PROT_EXEC | (write ? PROT_WRITE : 0)));
}

}  // namespace

uint32_t entry_size() { return jump_size; }

int32_t prepare_entry(cairn_entry* entry) {
  const uint64_t function = reinterpret_cast<uintptr_t>(entry->function);
  read_features();
  if (entry->kept[1] != 0) return 0;
  entry->original = entry->function;
  if (room == 0 || room_used + slot_size > page_size || !reaches(function, room)) {
    room = map_near(function);
    room_used = 0;
    if (room == 0) return -ENOMEM;
  }
  uint64_t stub = room + room_used;
  stub += (function + jump_size + 0xfe - stub) & 0xff;
  call_unchecked(SYS_mprotect, room, page_size, PROT_READ | PROT_WRITE | PROT_EXEC);
  const uint64_t moved = room + room_used + moved_at;
  if (entry->each != 0) {
    entry->moved = write_moved(reinterpret_cast<unsigned char*>(moved), function);
    entry->original = reinterpret_cast<cairn_function>(moved);
  }
  write_stub(reinterpret_cast<unsigned char*>(stub), entry);
  if (failed(call(SYS_mprotect, room, page_size, PROT_READ | PROT_EXEC))) return -EACCES;
  if (entry->each != 0 && entry->moved == 0) return -EOPNOTSUPP;
  room_used += slot_size;
  entry->kept[1] = stub;
  return 0;
}

int32_t change_entry(cairn_entry* entry) {
  const uint64_t function = reinterpret_cast<uintptr_t>(entry->function);
  auto* code = reinterpret_cast<unsigned char*>(function);
  if (!protect(function, true)) return -EACCES;
  memcpy(&entry->kept[0], code, jump_size);
  const auto distance = static_cast<int32_t>(entry->kept[1] - (function + jump_size));
  code[0] = 0xe9;
  memcpy(code + 1, &distance, sizeof distance);
  (void)protect(function, false);
  return 0;
}

bool stands_in_front(const cairn_entry& entry) {
  const uint64_t function = reinterpret_cast<uintptr_t>(entry.function);
  const auto* code = reinterpret_cast<const unsigned char*>(function);
  int32_t distance = 0;
  memcpy(&distance, code + 1, sizeof distance);
  return code[0] == 0xe9 && function + jump_size + static_cast<int64_t>(distance) == entry.kept[1];
}

void put_entry_back(cairn_entry* entry) {
  const uint64_t function = reinterpret_cast<uintptr_t>(entry->function);
  auto* code = reinterpret_cast<volatile unsigned char*>(function);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&entry->kept[0]);
  (void)protect(function, true);
  code[0] = 0xeb;
  for (uint32_t i = 2; i < jump_size; ++i) code[i] = bytes[i];
  uint16_t first = 0;
  memcpy(&first, bytes, sizeof first);
  asm volatile("movw %0, (%1)" : : "r"(first), "r"(code) : "memory");
  (void)protect(function, false);
}

}  // namespace cairn::events
