#include "agent/interposition.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "agent/log.h"
#include "sys/file.h"

#include <cairn/plugin.h>

namespace cairn::agent {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::page_down;
using sys::page_up;

struct Symbols {
  const Elf64_Sym* table = nullptr;
  const char* strings = nullptr;
  const uint32_t* hash = nullptr;  // DT_GNU_HASH
  const Elf64_Rela* relocations[2] = {};
  uint64_t relocation_bytes[2] = {};
};

/// A function of ours that others are to call.
struct Wanted {
  const char* name;
  uint64_t address;
  uint64_t library_start;  // of the one that has the function below ours
  uint64_t library_end;
};

constexpr uint32_t slots = 2048;
Wanted wanted[slots];  // by hash; name nullptr: free
bool done = false;
const link_map* own_map = nullptr;

Symbols read_symbols(uint64_t base, const Elf64_Dyn* dynamic) {
  Symbols symbols;
  for (; dynamic != nullptr && dynamic->d_tag != DT_NULL; ++dynamic) {
    uint64_t value = dynamic->d_un.d_ptr;
    uint64_t at = value < base ? base + value : value;  // the loader has made most of them absolute
    switch (dynamic->d_tag) {
      case DT_SYMTAB: symbols.table = reinterpret_cast<const Elf64_Sym*>(at); break;
      case DT_STRTAB: symbols.strings = reinterpret_cast<const char*>(at); break;
      case DT_GNU_HASH: symbols.hash = reinterpret_cast<const uint32_t*>(at); break;
      case DT_RELA: symbols.relocations[0] = reinterpret_cast<const Elf64_Rela*>(at); break;
      case DT_RELASZ: symbols.relocation_bytes[0] = value; break;
      case DT_JMPREL: symbols.relocations[1] = reinterpret_cast<const Elf64_Rela*>(at); break;
      case DT_PLTRELSZ: symbols.relocation_bytes[1] = value; break;
      default: break;
    }
  }
  return symbols;
}

uint32_t hash_of(const char* name) {
  uint32_t hash = 5381;
  for (; *name != 0; ++name) hash = hash * 33 + static_cast<unsigned char>(*name);
  return hash;
}

Wanted* place_of(const char* name) {
  for (uint32_t at = hash_of(name) % slots;; at = (at + 1) % slots) {
    if (wanted[at].name == nullptr || strcmp(wanted[at].name, name) == 0) return &wanted[at];
  }
}

uint32_t symbol_count(const Symbols& symbols) {
  const uint32_t buckets = symbols.hash[0], first = symbols.hash[1], bloom = symbols.hash[2];
  const uint32_t* bucket = symbols.hash + 4 + bloom * 2;
  const uint32_t* chain = bucket + buckets;
  uint32_t last = 0;
  for (uint32_t i = 0; i < buckets; ++i) last = bucket[i] > last ? bucket[i] : last;
  if (last < first) return first;
  while ((chain[last - first] & 1) == 0) ++last;
  return last + 1;
}

struct Extent {
  uint64_t address;
  uint64_t start;
  uint64_t end;
};

int find_extent(dl_phdr_info* info, size_t, void* data) {
  auto* extent = static_cast<Extent*>(data);
  uint64_t start = UINT64_MAX, end = 0;
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const Elf64_Phdr& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    uint64_t from = info->dlpi_addr + segment.p_vaddr;
    if (from < start) start = from;
    if (from + segment.p_memsz > end) end = from + segment.p_memsz;
  }
  if (extent->address < start || extent->address >= end) return 0;
  extent->start = start;
  extent->end = end;
  return 1;
}

/// Ours are those that the program would find in the C library: neither it nor another library has one of its own.
void collect() {
  void* program = dlopen(nullptr, RTLD_NOW);
  Symbols own = read_symbols(own_map->l_addr, own_map->l_ld);
  uint32_t count = symbol_count(own), left = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Elf64_Sym& symbol = own.table[i];
    if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
    const char* name = own.strings + symbol.st_name;
    void* next = dlsym(RTLD_NEXT, name);
    if (next == nullptr) continue;  // not for others
    if (dlsym(program, name) != next) {
      sys::TextBuffer<256> text;
      text.add("the program has a function of its own in place of the C library's ").add(name).add(": Cairn does not see its calls");
      log(CAIRN_LOG_WARNING, text.c_str());
      continue;
    }
    Extent extent = {reinterpret_cast<uintptr_t>(next), 0, 0};
    if (dl_iterate_phdr(find_extent, &extent) != 1 || ++left > slots / 2) continue;
    *place_of(name) = {name, own_map->l_addr + symbol.st_value, extent.start, extent.end};
  }
}

// ---- What is bound from now on ------------------------------------------------------------------------------------------

bool peek(uint64_t address, void* data, size_t size) {
  struct iovec local = {data, size}, remote = {reinterpret_cast<void*>(address), size};
  return call(SYS_process_vm_readv, call(SYS_getpid), &local, 1, &remote, 1, 0) == static_cast<long>(size);
}

bool is_loaded(const link_map* map) {
  for (const link_map* at = _r_debug.r_map; at != nullptr; at = at->l_next) {
    if (at == map) return true;
  }
  return false;
}

/// The loader's list of global libraries: an array that begins with the program and, since ours was added last, ends with ours.
/// Where it is in the loader's description of the program is the loader's secret; such an array with its length is nothing else.
link_map** find_scope(uint32_t* count) {
  constexpr size_t description = 2048;
  const link_map* program = _r_debug.r_map;
  for (size_t at = 0; at < description; at += sizeof(uint64_t)) {
    uint64_t words[2], first = 0, last = 0;
    if (!peek(reinterpret_cast<uintptr_t>(program) + at, words, sizeof words)) break;
    auto length = static_cast<uint32_t>(words[1]);
    if (words[0] % sizeof(uint64_t) != 0 || length < 2 || length > 65536) continue;
    if (!peek(words[0], &first, sizeof first) || first != reinterpret_cast<uintptr_t>(program)) continue;
    if (!peek(words[0] + (length - 1) * sizeof(uint64_t), &last, sizeof last) || last != reinterpret_cast<uintptr_t>(own_map)) continue;
    auto** list = reinterpret_cast<link_map**>(words[0]);
    bool all = true;
    for (uint32_t i = 0; i < length && all; ++i) all = is_loaded(list[i]);
    if (!all) continue;
    *count = length;
    return list;
  }
  return nullptr;
}

/// From the end on: whoever reads the list meanwhile finds every other library in it.
void put_behind_program(link_map** list, uint32_t count) {
  for (uint32_t i = count - 1; i > 1; --i) __atomic_store_n(&list[i], list[i - 1], __ATOMIC_RELEASE);
  __atomic_store_n(&list[1], const_cast<link_map*>(own_map), __ATOMIC_RELEASE);
}

// ---- What is bound already ----------------------------------------------------------------------------------------------

struct Module {
  uint64_t base;
  uint64_t start, end;
  uint64_t fixed_start, fixed_end;  // read-only since it was bound
  bool own;
};

/// Whether the place leads to what comes after ours, or is bound only when it is first used.
bool is_bound_below(const Module& module, uint32_t type, uint64_t value, const Wanted& to) {
  if (module.own) return value != to.address;
  if (value >= to.library_start && value < to.library_end) return true;
  return type == R_X86_64_JUMP_SLOT && value >= module.start && value < module.end;
}

void bind_anew(const Module& module, const Symbols& symbols) {
  bool opened = false;
  for (int table = 0; table < 2; ++table) {
    for (uint64_t i = 0; i < symbols.relocation_bytes[table] / sizeof(Elf64_Rela); ++i) {
      const Elf64_Rela& relocation = symbols.relocations[table][i];
      uint32_t type = ELF64_R_TYPE(relocation.r_info);
      if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64) continue;
      const Elf64_Sym& symbol = symbols.table[ELF64_R_SYM(relocation.r_info)];
      const Wanted* to = place_of(symbols.strings + symbol.st_name);
      if (to->name == nullptr || (type == R_X86_64_64 && relocation.r_addend != 0)) continue;
      auto* place = reinterpret_cast<uint64_t*>(module.base + relocation.r_offset);
      if (!is_bound_below(module, type, __atomic_load_n(place, __ATOMIC_RELAXED), *to)) continue;
      auto at = reinterpret_cast<uintptr_t>(place);
      bool fixed = at >= module.fixed_start && at < module.fixed_end;
      if (fixed && !opened) {
        long result = call(SYS_mprotect, module.fixed_start, module.fixed_end - module.fixed_start, PROT_READ | PROT_WRITE);
        if (sys::failed(result)) {
          log(CAIRN_LOG_WARNING, "this system forbids to change what a library was bound to: Cairn does not see all of its calls");
          return;
        }
        opened = true;
      }
      __atomic_store_n(place, to->address, __ATOMIC_RELEASE);
    }
  }
  if (opened) call_unchecked(SYS_mprotect, module.fixed_start, module.fixed_end - module.fixed_start, PROT_READ);
}

/// The loader's lock is held: no library comes or goes.
int visit(dl_phdr_info* info, size_t, void*) {
  Module module = {info->dlpi_addr, UINT64_MAX, 0, 0, 0, false};
  const Elf64_Dyn* dynamic = nullptr;
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const Elf64_Phdr& segment = info->dlpi_phdr[i];
    uint64_t from = info->dlpi_addr + segment.p_vaddr, to = from + segment.p_memsz;
    if (segment.p_type == PT_LOAD && from < module.start) module.start = from;
    if (segment.p_type == PT_LOAD && to > module.end) module.end = to;
    if (segment.p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const Elf64_Dyn*>(from);
    if (segment.p_type == PT_GNU_RELRO) {
      module.fixed_start = page_down(from);
      module.fixed_end = page_down(to);
    }
  }
  Symbols symbols = read_symbols(module.base, dynamic);
  bool loader = _r_debug.r_ldbase == module.base;
  if (loader || symbols.table == nullptr || symbols.strings == nullptr) return 0;
  module.own = dynamic == own_map->l_ld;
  bind_anew(module, symbols);
  return 0;
}

}  // namespace

bool interpose(sys::Error* error) {
  if (done) return true;
  Dl_info info;
  void* map = nullptr;
  if (dladdr1(reinterpret_cast<void*>(interpose), &info, &map, RTLD_DL_LINKMAP) == 0 || map == nullptr) {
    error->set(-ENOTSUP, "loader").add("the C library does not say where libcairn.so is");
    return false;
  }
  own_map = static_cast<const link_map*>(map);
  uint32_t count = 0;
  link_map** scope = find_scope(&count);
  if (scope == nullptr) {
    error->set(-ENOTSUP, "loader").add("the list of libraries of this C library has an unknown form");
    return false;
  }
  collect();
  put_behind_program(scope, count);
  dl_iterate_phdr(visit, nullptr);
  done = true;
  return true;
}

}  // namespace cairn::agent
