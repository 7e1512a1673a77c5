#include "events/slots.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>

#include "sys/context.h"
#include "sys/syscall.h"

namespace cairn::events {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::page_down;
using sys::page_up;
using sys::elf::Relocate;
using sys::elf::Relocation;

/// Changes nothing: the kernel is asked to set none of the word's bits, which it does at once with whoever else writes there.
bool is_writable(const void* place) {
  constexpr uint32_t set_no_bit = 2u << 28;  // FUTEX_OP_OR
  uint32_t nobody_waits = 0;
  return !failed(call(SYS_futex, &nobody_waits, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, nullptr, place, set_no_bit));
}

/// Calls write() where [place, place + size) can be written.
template <class Write>
bool with_write_access(const Module& module, const void* place, size_t size, Write write) {
  const auto at = reinterpret_cast<uintptr_t>(place);
  const int protection = protection_of(module, at);
  // What the loader makes read-only when a library is bound is still written to before: then it has to stay as it is.
  if ((protection & PROT_EXEC) == 0 && is_writable(place)) {
    write();
    return true;
  }
  if (protection == PROT_NONE) return false;
  const uint64_t start = page_down(at), length = page_up(at + size) - start;
  if (failed(call(SYS_mprotect, start, length, protection | PROT_WRITE))) return false;
  write();
  call_unchecked(SYS_mprotect, start, length, protection);
  return true;
}

}  // namespace

bool write_word(const Module& module, const uintptr_t* place, uintptr_t value) {
  auto* word = const_cast<uintptr_t*>(place);
  return with_write_access(module, place, sizeof value, [&] { __atomic_store_n(word, value, __ATOMIC_RELEASE); });
}

void for_each_slot(const Module& module, void (*visit)(void* context, const char* name, uintptr_t* place), void* context) {
  if (module.symbols == nullptr || module.strings == nullptr) return;
  for (int table = 0; table < 2; ++table) {
    const Relocation* relocations = module.relocations[table];
    for (uint64_t i = 0; relocations != nullptr && i < module.relocation_bytes[table] / sizeof(Relocation); ++i) {
      const Relocate kind = sys::elf::kind_of(relocations[i]);
      if (kind != Relocate::symbol && kind != Relocate::symbol_and_addend) continue;
      if (!sys::elf::addend_at_place && kind == Relocate::symbol_and_addend && sys::elf::addend_of(relocations[i], nullptr) != 0) continue;
      const ElfW(Sym)& symbol = module.symbols[sys::elf::symbol_of(relocations[i])];
      visit(context, module.strings + symbol.st_name, reinterpret_cast<uintptr_t*>(module.base + relocations[i].r_offset));
    }
  }
}

bool lead_empty_function(const Module& module, uint64_t entry, void (*target)()) {
  constexpr uint64_t alignment = 16, jump_size = 5;
  static const unsigned char landing[2][4] = {{0xf3, 0x0f, 0x1e, 0xfa}, {0xf3, 0x0f, 0x1e, 0xfb}};  // endbr64, endbr32
  const auto* code = reinterpret_cast<const unsigned char*>(entry);
  if (entry % alignment != 0) return false;
  const uint64_t skipped = memcmp(code, landing[0], 4) == 0 || memcmp(code, landing[1], 4) == 0 ? 4 : 0;
  if (code[skipped] != 0xc3 /* ret */) return false;
  const uint64_t from = entry + skipped;
  const int64_t distance = static_cast<intptr_t>(reinterpret_cast<uintptr_t>(target) - static_cast<uintptr_t>(from + jump_size));
  if (distance != static_cast<int32_t>(distance)) return false;
  unsigned char jump[jump_size] = {0xe9};
  const auto relative = static_cast<int32_t>(distance);
  memcpy(jump + 1, &relative, sizeof relative);
  uint32_t first = 0;
  memcpy(&first, jump, sizeof first);
  auto* place = reinterpret_cast<unsigned char*>(from);
  // The last byte, which nobody runs yet, and then the first four at once.
  return with_write_access(module, place, 8, [&] {
    __atomic_store_n(place + 4, jump[4], __ATOMIC_RELEASE);
    __atomic_store_n(reinterpret_cast<uint32_t*>(place), first, __ATOMIC_RELEASE);
  });
}

}  // namespace cairn::events
