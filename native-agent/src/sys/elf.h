// Relocations of this processor's ELF files, for code that does the loader's work itself.
// Context: any.
#pragma once
#include <elf.h>
#include <link.h>
#include <stdint.h>

namespace cairn::sys::elf {

/// What is to be written, and where an addend is.
enum class Relocate { nothing, base, resolver, symbol, symbol_and_addend, unknown };

#if defined(__x86_64__)
using Relocation = Elf64_Rela;
inline constexpr bool addend_at_place = false;
enum : int64_t { table_tag = DT_RELA, table_size_tag = DT_RELASZ };
inline uint32_t symbol_of(const Relocation& relocation) { return static_cast<uint32_t>(ELF64_R_SYM(relocation.r_info)); }
inline uintptr_t addend_of(const Relocation& relocation, const uintptr_t*) { return static_cast<uintptr_t>(relocation.r_addend); }
inline Relocate kind_of(const Relocation& relocation) {
  switch (ELF64_R_TYPE(relocation.r_info)) {
    case R_X86_64_NONE: return Relocate::nothing;
    case R_X86_64_RELATIVE: return Relocate::base;
    case R_X86_64_IRELATIVE: return Relocate::resolver;
    case R_X86_64_64: return Relocate::symbol_and_addend;
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT: return Relocate::symbol;
    default: return Relocate::unknown;
  }
}
#else
using Relocation = Elf32_Rel;
inline constexpr bool addend_at_place = true;
enum : int64_t { table_tag = DT_REL, table_size_tag = DT_RELSZ };
inline uint32_t symbol_of(const Relocation& relocation) { return ELF32_R_SYM(relocation.r_info); }
inline uintptr_t addend_of(const Relocation&, const uintptr_t* place) { return *place; }
inline Relocate kind_of(const Relocation& relocation) {
  switch (ELF32_R_TYPE(relocation.r_info)) {
    case R_386_NONE: return Relocate::nothing;
    case R_386_RELATIVE: return Relocate::base;
    case R_386_IRELATIVE: return Relocate::resolver;
    case R_386_32: return Relocate::symbol_and_addend;
    case R_386_GLOB_DAT:
    case R_386_JMP_SLOT: return Relocate::symbol;
    default: return Relocate::unknown;
  }
}
#endif

inline bool is_resolver(const ElfW(Sym)& symbol) { return (symbol.st_info & 15) == STT_GNU_IFUNC; }
inline bool is_function(const ElfW(Sym)& symbol) { return (symbol.st_info & 15) == STT_FUNC; }
inline bool is_weak(const ElfW(Sym)& symbol) { return symbol.st_info >> 4 == STB_WEAK; }

}  // namespace cairn::sys::elf
