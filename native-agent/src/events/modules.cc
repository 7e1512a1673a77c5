#include "events/modules.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "sys/file.h"

namespace cairn::events {
namespace {

using sys::call;
using sys::page_down;

bool has_name(const Module& module, uint32_t index, const char* name) {
  const ElfW(Sym)& symbol = module.symbols[index];
  return symbol.st_shndx != SHN_UNDEF && strcmp(module.strings + symbol.st_name, name) == 0;
}

uint32_t hash_of(const char* name) {
  uint32_t hash = 5381;
  for (const char* at = name; *at != 0; ++at) hash = hash * 33 + static_cast<unsigned char>(*at);
  return hash;
}

/// visit(index) for each definition of that name, until it gives true.
template <class Visit>
void for_each_definition(const Module& module, const char* name, Visit visit) {
  if (module.symbols == nullptr || module.strings == nullptr) return;
  if (module.gnu_hash == nullptr) {
    for (uint32_t index = 0; module.hash != nullptr && index < module.hash[1]; ++index) {
      if (has_name(module, index, name) && visit(index)) return;
    }
    return;
  }
  const uint32_t bucket_count = module.gnu_hash[0], first = module.gnu_hash[1], bloom_words = module.gnu_hash[2];
  const uint32_t* buckets = module.gnu_hash + 4 + bloom_words * (sizeof(void*) / sizeof(uint32_t));
  const uint32_t* chains = buckets + bucket_count;
  if (bucket_count == 0) return;
  const uint32_t wanted = hash_of(name);
  uint32_t index = buckets[wanted % bucket_count];
  if (index < first) return;
  for (;; ++index) {
    uint32_t found = chains[index - first];
    if ((found | 1) == (wanted | 1) && has_name(module, index, name) && visit(index)) return;
    if ((found & 1) != 0) return;
  }
}

struct Segments {
  const ElfW(Phdr)* first;
  uint32_t count;
};

/// The program's may lie anywhere; a library begins with its header.
Segments segments_of(const Module& module) {
  const link_map* program = _r_debug.r_map;
  if (program != nullptr && program->l_ld == module.dynamic) {
    return {reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR)), static_cast<uint32_t>(getauxval(AT_PHNUM))};
  }
  ElfW(Ehdr) header;
  struct iovec here = {&header, sizeof header}, there = {reinterpret_cast<void*>(module.base), sizeof header};
  if (call(SYS_process_vm_readv, call(SYS_getpid), &here, 1, &there, 1, 0) != static_cast<long>(sizeof header)) return {nullptr, 0};
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr))) return {nullptr, 0};
  return {reinterpret_cast<const ElfW(Phdr)*>(module.base + header.e_phoff), header.e_phnum};
}

}  // namespace

Module read_module(uint64_t base, const ElfW(Dyn)* dynamic) {
  Module module;
  module.base = base;
  module.dynamic = dynamic;
  uint64_t name = 0;
  auto place = [base](uint64_t value) { return value < base ? base + value : value; };
  for (; dynamic != nullptr && dynamic->d_tag != DT_NULL; ++dynamic) {
    const uint64_t value = dynamic->d_un.d_val, at = place(dynamic->d_un.d_ptr);
    switch (dynamic->d_tag) {
      case DT_SYMTAB: module.symbols = reinterpret_cast<const ElfW(Sym)*>(at); break;
      case DT_STRTAB: module.strings = reinterpret_cast<const char*>(at); break;
      case DT_GNU_HASH: module.gnu_hash = reinterpret_cast<const uint32_t*>(at); break;
      case DT_HASH: module.hash = reinterpret_cast<const uint32_t*>(at); break;
      case DT_VERSYM: module.versions = reinterpret_cast<const uint16_t*>(at); break;
      case DT_SONAME: name = value; break;
      case sys::elf::table_tag: module.relocations[0] = reinterpret_cast<const sys::elf::Relocation*>(at); break;
      case sys::elf::table_size_tag: module.relocation_bytes[0] = value; break;
      case DT_JMPREL: module.relocations[1] = reinterpret_cast<const sys::elf::Relocation*>(at); break;
      case DT_PLTRELSZ: module.relocation_bytes[1] = value; break;
      default: break;
    }
  }
  if (name != 0 && module.strings != nullptr) module.name = module.strings + name;
  return module;
}

bool is_mapped(const link_map* map) {
  ElfW(Dyn) first;
  struct iovec here = {&first, sizeof first}, there = {map->l_ld, sizeof first};
  return call(SYS_process_vm_readv, call(SYS_getpid), &here, 1, &there, 1, 0) == static_cast<long>(sizeof first);
}

const ElfW(Sym)* find_symbol(const Module& module, const char* name) {
  const ElfW(Sym)* found = nullptr;
  for_each_definition(module, name, [&](uint32_t index) {
    // A version that is not the default one is for programs of long ago.
    if (module.versions != nullptr && (module.versions[index] & 0x8000) != 0) return false;
    found = &module.symbols[index];
    return true;
  });
  return found;
}

void for_each_version(const Module& module, const char* name, void (*visit)(void* context, const ElfW(Sym)* symbol), void* context) {
  for_each_definition(module, name, [&](uint32_t index) {
    visit(context, &module.symbols[index]);
    return false;
  });
}

uint64_t address_of(const Module& module, const ElfW(Sym)& symbol) {
  uint64_t address = static_cast<uintptr_t>(module.base + symbol.st_value);
  // The library chooses among versions for different processors.
  if (sys::elf::is_resolver(symbol)) address = reinterpret_cast<uintptr_t (*)()>(address)();
  return address;
}

int protection_of(const Module& module, uint64_t address) {
  int protection = PROT_NONE;
  Segments segments = segments_of(module);
  for (const ElfW(Phdr)* segment = segments.first; segment < segments.first + segments.count; ++segment) {
    const uint64_t start = page_down(module.base + segment->p_vaddr), end = module.base + segment->p_vaddr + segment->p_memsz;
    // The loader makes whole pages read-only.
    if (segment->p_type == PT_GNU_RELRO && address >= start && address < page_down(end)) return PROT_READ;
    if (segment->p_type != PT_LOAD || address < start || address >= sys::page_up(end)) continue;
    protection = ((segment->p_flags & PF_R) != 0 ? PROT_READ : 0) | ((segment->p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
                 ((segment->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
  }
  return protection;
}

}  // namespace cairn::events
