#include "restore/vdso.h"

#include <sys/mman.h>

#include "sys/code.h"
#include "sys/elf.h"
#include "sys/syscall.h"

namespace cairn::restore {
namespace {

using sys::call;
using sys::failed;

uint64_t size_of(Range range) { return range.end - range.start; }

bool move(Range* range, uint64_t target) {
  if (range->start == target) return true;
  int64_t result = call(SYS_mremap, range->start, size_of(*range), size_of(*range), MREMAP_MAYMOVE | MREMAP_FIXED, target);
  if (failed(result)) return false;
  *range = {target, target + size_of(*range)};
  return true;
}

/// All of the kernel's pages, keeping their distances.
bool move_all(KernelPages* pages, uint64_t vdso_target) {
  uint64_t distance = vdso_target - pages->vdso.start;
  for (uint32_t i = 0; i < pages->vvar_count; ++i) {
    if (!move(&pages->vvar[i], pages->vvar[i].start + distance)) return false;
  }
  return move(&pages->vdso, vdso_target);
}

Range extent(const KernelPages& pages) {
  Range all = pages.vdso;
  for (uint32_t i = 0; i < pages.vvar_count; ++i) {
    if (pages.vvar[i].start < all.start) all.start = pages.vvar[i].start;
    if (pages.vvar[i].end > all.end) all.end = pages.vvar[i].end;
  }
  return all;
}

struct Symbols {
  const ElfW(Sym)* table = nullptr;
  const char* names = nullptr;
  uint64_t count = 0;
  uint64_t base = 0;
};

Symbols symbols_of(uint64_t base) {
  Symbols symbols;
  symbols.base = base;
  auto* header = reinterpret_cast<const ElfW(Ehdr)*>(base);
  auto* segments = reinterpret_cast<const ElfW(Phdr)*>(base + header->e_phoff);
  uint64_t load = 0;
  const ElfW(Dyn)* dynamic = nullptr;
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    if (segments[i].p_type == PT_LOAD) load = base - segments[i].p_vaddr;
    if (segments[i].p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const ElfW(Dyn)*>(base + segments[i].p_offset);
  }
  const uint32_t* hash = nullptr;
  for (; dynamic != nullptr && dynamic->d_tag != DT_NULL; ++dynamic) {
    uint64_t address = load + dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_SYMTAB) symbols.table = reinterpret_cast<const ElfW(Sym)*>(address);
    if (dynamic->d_tag == DT_STRTAB) symbols.names = reinterpret_cast<const char*>(address);
    if (dynamic->d_tag == DT_HASH) hash = reinterpret_cast<const uint32_t*>(address);
  }
  // Without DT_HASH the string table, which follows, bounds the symbols.
  if (hash != nullptr) symbols.count = hash[1];
  else if (symbols.table != nullptr && symbols.names > reinterpret_cast<const char*>(symbols.table)) {
    symbols.count = static_cast<uint64_t>(symbols.names - reinterpret_cast<const char*>(symbols.table)) / sizeof(ElfW(Sym));
  }
  symbols.base = load;
  return symbols;
}

uint64_t find(const Symbols& symbols, Text name) {
  for (uint64_t i = 0; i < symbols.count; ++i) {
    const ElfW(Sym)& symbol = symbols.table[i];
    if (symbol.st_shndx != SHN_UNDEF && Text(symbols.names + symbol.st_name) == name) return symbols.base + symbol.st_value;
  }
  return 0;
}

struct Fallback {
  const char* name;
  uint32_t number;
};
const Fallback fallbacks[] = {
    {"clock_gettime", SYS_clock_gettime}, {"gettimeofday", SYS_gettimeofday}, {"time", SYS_time},
#ifdef SYS_clock_gettime64
    {"clock_gettime64", SYS_clock_gettime64},
#endif
    {"getcpu", SYS_getcpu}, {"clock_getres", SYS_clock_getres}, {"getrandom", SYS_getrandom},
};

}  // namespace

bool move_vdso(const Image& image, KernelPages* pages, uint64_t scratch) {
  const cairn_image_Memory& memory = image.memory;
  Range all = extent(*pages);
  bool same = memory.vdso_size == size_of(pages->vdso) &&
              memory.vdso_start - memory.vvar_start == pages->vdso.start - all.start &&
              memory.vdso_checksum == image::Checksum::of(reinterpret_cast<const void*>(pages->vdso.start), size_of(pages->vdso));
  if (!same) return false;
  Range target = {memory.vdso_start - (pages->vdso.start - all.start), memory.vdso_start + memory.vdso_size};
  if (overlap(target, all) && target.start != all.start && !move_all(pages, scratch + (pages->vdso.start - all.start))) return false;
  return move_all(pages, memory.vdso_start);
}

bool make_way(const Image& image, KernelPages* pages, uint64_t scratch) {
  Range all = extent(*pages);
  for (uint32_t i = 0; i < image.mapping_count; ++i) {
    if (overlap(all, {image.mappings[i].start, image.mappings[i].end})) {
      return move_all(pages, scratch + (pages->vdso.start - all.start));
    }
  }
  return true;
}

void redirect_vdso(const Image& image, const KernelPages& pages) {
  Symbols old = symbols_of(image.memory.vdso_start);
  Symbols now = symbols_of(pages.vdso.start);
  for (uint64_t i = 0; i < old.count; ++i) {
    const ElfW(Sym)& symbol = old.table[i];
    if (symbol.st_shndx == SHN_UNDEF || !sys::elf::is_function(symbol)) continue;
    Text name(old.names + symbol.st_name);
    auto* code = reinterpret_cast<unsigned char*>(old.base + symbol.st_value);
    if (uint64_t target = find(now, name); target != 0) {
      sys::processor::write_jump(code, target);
      continue;
    }
    for (const Fallback& fallback : fallbacks) {
      if (!name.ends_with(fallback.name)) continue;
      sys::processor::write_call(code, fallback.number);
    }
  }
}

}  // namespace cairn::restore
