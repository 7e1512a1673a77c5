#include "events/library.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>

#include "events/modules.h"
#include "sys/context.h"
#include "sys/elf.h"
#include "sys/file.h"

namespace cairn::events {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::page_down;
using sys::page_up;
using sys::Status;
using sys::elf::Relocate;
using sys::elf::Relocation;

class Loader {
 public:
  Loader(const char* path, Library* library, sys::Error* error) : path_(path), library_(library), error_(error) {}

  bool load() { return map() && read_dynamic() && check_needed() && relocate() && protect() && initialise(); }

 private:
  bool fail(Status number, const char* first, const char* second = "") {
    error_->set(number, path_).add("plugin ").add(path_).add(" cannot be loaded into a process whose threads are stopped: ").add(first).add(second);
    return false;
  }

  bool map() {
    fd_ = sys::open(path_, O_RDONLY);
    if (!fd_.ok()) return fail(fd_.status(), "it cannot be read");
    ElfW(Ehdr) header;
    if (sys::read_at(fd_.get(), &header, sizeof header, 0) != 0 || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_type != ET_DYN || header.e_machine != sys::processor::elf_machine || header.e_phnum > max_segments ||
        header.e_phentsize != sizeof(ElfW(Phdr))) {
      return fail(-ENOEXEC, "it is no shared library for this processor");
    }
    count_ = header.e_phnum;
    if (sys::read_at(fd_.get(), segments_, count_ * sizeof(ElfW(Phdr)), header.e_phoff) != 0) return fail(-ENOEXEC, "it is cut off");
    uint64_t end = 0;
    for (const ElfW(Phdr)* segment = segments_; segment < segments_ + count_; ++segment) {
      if (segment->p_type == PT_TLS) return fail(-ENOTSUP, "it has thread-local variables; give it to cairn run");
      if (segment->p_type == PT_LOAD && segment->p_vaddr + segment->p_memsz > end) end = segment->p_vaddr + segment->p_memsz;
    }
    int64_t place = call(SYS_mmap, nullptr, page_up(end), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (failed(place)) return fail(static_cast<Status>(place), "there is no memory for it");
    base_ = static_cast<uint64_t>(place);
    for (const ElfW(Phdr)* segment = segments_; segment < segments_ + count_; ++segment) {
      if (segment->p_type == PT_LOAD && !map_segment(*segment)) return false;
    }
    return true;
  }

  bool map_segment(const ElfW(Phdr)& segment) {
    int protection = protection_of(segment) | PROT_WRITE;  // for the relocations
    uint64_t start = page_down(base_ + segment.p_vaddr), file_end = base_ + segment.p_vaddr + segment.p_filesz;
    uint64_t end = page_up(base_ + segment.p_vaddr + segment.p_memsz);
    int64_t result = start < page_up(file_end) ? call(SYS_mmap, start, page_up(file_end) - start, protection, MAP_PRIVATE | MAP_FIXED, fd_.get(),
                                                   page_down(segment.p_offset))
                                            : 0;
    if (!failed(result) && end > page_up(file_end)) {
      result = call(SYS_mmap, page_up(file_end), end - page_up(file_end), protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    if (failed(result)) return fail(static_cast<Status>(result), "it cannot be mapped");
    if (segment.p_memsz > segment.p_filesz) memset(reinterpret_cast<void*>(file_end), 0, page_up(file_end) - file_end);
    return true;
  }

  static int protection_of(const ElfW(Phdr)& segment) {
    return ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) | ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
           ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
  }

  bool read_dynamic() {
    for (const ElfW(Phdr)* segment = segments_; segment < segments_ + count_; ++segment) {
      if (segment->p_type == PT_DYNAMIC) dynamic_ = reinterpret_cast<const ElfW(Dyn)*>(base_ + segment->p_vaddr);
    }
    if (dynamic_ == nullptr) return fail(-ENOEXEC, "it has no dynamic section");
    own_ = read_module(base_, dynamic_);
    if (own_.symbols == nullptr || own_.strings == nullptr) return fail(-ENOEXEC, "it has no symbols");
    *library_ = {base_, dynamic_};
    return true;
  }

  bool check_needed() {
    for (const ElfW(Dyn)* entry = dynamic_; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag != DT_NEEDED) continue;
      const char* needed = own_.strings + entry->d_un.d_val;
      bool there = false;
      for (const link_map* map = _r_debug.r_map; map != nullptr && !there; map = map->l_next) {
        there = is_mapped(map) && strcmp(read_module(map->l_addr, map->l_ld).name, needed) == 0;
      }
      if (!there) return fail(-ENOTSUP, "the program has not loaded what it needs; give it to cairn run, or link it without ", needed);
    }
    return true;
  }

  bool resolve(uint32_t index, uint64_t* address) {
    const ElfW(Sym)& symbol = own_.symbols[index];
    const char* name = own_.strings + symbol.st_name;
    *address = 0;
    if (symbol.st_shndx != SHN_UNDEF) {
      *address = address_of(own_, symbol);
      return true;
    }
    for (const link_map* map = _r_debug.r_map; map != nullptr; map = map->l_next) {
      if (!is_mapped(map)) continue;
      Module module = read_module(map->l_addr, map->l_ld);
      const ElfW(Sym)* found = find_symbol(module, name);
      if (found == nullptr) continue;
      *address = address_of(module, *found);
      return true;
    }
    return sys::elf::is_weak(symbol) || fail(-ENOENT, "nothing in the program defines ", name);
  }

  bool apply(const Relocation& relocation) {
    auto* place = reinterpret_cast<uintptr_t*>(base_ + relocation.r_offset);
    uint64_t address = 0;
    Relocate kind = sys::elf::kind_of(relocation);
    switch (kind) {
      case Relocate::nothing: return true;
      case Relocate::base: *place = static_cast<uintptr_t>(base_) + sys::elf::addend_of(relocation, place); return true;
      case Relocate::resolver:
        *place = reinterpret_cast<uintptr_t (*)()>(base_ + sys::elf::addend_of(relocation, place))();
        return true;
      case Relocate::symbol:
      case Relocate::symbol_and_addend:
        if (!resolve(sys::elf::symbol_of(relocation), &address)) return false;
        *place = static_cast<uintptr_t>(address) + (kind == Relocate::symbol ? 0 : sys::elf::addend_of(relocation, place));
        return true;
      default: return fail(-ENOTSUP, "it was built in a way that only the system's loader can bind; give it to cairn run");
    }
  }

  bool relocate() {
    uint64_t tables[2] = {}, sizes[2] = {};
    for (const ElfW(Dyn)* entry = dynamic_; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == sys::elf::table_tag) tables[0] = entry->d_un.d_ptr;
      if (entry->d_tag == sys::elf::table_size_tag) sizes[0] = entry->d_un.d_val;
      if (entry->d_tag == DT_JMPREL) tables[1] = entry->d_un.d_ptr;
      if (entry->d_tag == DT_PLTRELSZ) sizes[1] = entry->d_un.d_val;
      if (entry->d_tag == 36 /* DT_RELR */) return fail(-ENOTSUP, "it has packed relocations; link it with -z nopack-relative-relocs");
    }
    for (int table = 0; table < 2; ++table) {
      auto* entries = reinterpret_cast<const Relocation*>(base_ + tables[table]);
      for (uint64_t i = 0; i < sizes[table] / sizeof(Relocation); ++i) {
        if (!apply(entries[i])) return false;
      }
    }
    return true;
  }

  bool protect() {
    for (const ElfW(Phdr)* segment = segments_; segment < segments_ + count_; ++segment) {
      bool load = segment->p_type == PT_LOAD;
      if (!load && segment->p_type != PT_GNU_RELRO) continue;
      uint64_t start = page_down(base_ + segment->p_vaddr);
      uint64_t end = load ? page_up(base_ + segment->p_vaddr + segment->p_memsz) : page_down(base_ + segment->p_vaddr + segment->p_memsz);
      if (start >= end) continue;
      long result = call(SYS_mprotect, start, end - start, load ? protection_of(*segment) : PROT_READ);
      if (failed(result)) return fail(static_cast<Status>(result), "this system forbids memory that holds code");
    }
    return true;
  }

  bool initialise() {
    using Function = void (*)(int, char**, char**);
    uint64_t array = 0, size = 0;
    for (const ElfW(Dyn)* entry = dynamic_; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_INIT) reinterpret_cast<Function>(base_ + entry->d_un.d_ptr)(0, nullptr, nullptr);
      if (entry->d_tag == DT_INIT_ARRAY) array = entry->d_un.d_ptr;
      if (entry->d_tag == DT_INIT_ARRAYSZ) size = entry->d_un.d_val;
    }
    for (uint64_t i = 0; i < size / sizeof(Function); ++i) reinterpret_cast<Function*>(base_ + array)[i](0, nullptr, nullptr);
    return true;
  }

  static constexpr uint32_t max_segments = 32;
  const char* path_;
  Library* library_;
  sys::Error* error_;
  sys::UniqueFd fd_;
  ElfW(Phdr) segments_[max_segments];
  uint32_t count_ = 0;
  uint64_t base_ = 0;
  const ElfW(Dyn)* dynamic_ = nullptr;
  Module own_;
};

}  // namespace

bool load_library(const char* path, Library* library, sys::Error* error) { return Loader(path, library, error).load(); }

void* library_symbol(const Library& library, const char* name) {
  Module module = read_module(library.base, static_cast<const ElfW(Dyn)*>(library.dynamic));
  const ElfW(Sym)* symbol = find_symbol(module, name);
  return symbol == nullptr ? nullptr : reinterpret_cast<void*>(address_of(module, *symbol));
}

}  // namespace cairn::events
