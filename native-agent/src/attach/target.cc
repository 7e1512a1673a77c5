#include "attach/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/syscall.h"

namespace cairn::attach {
namespace {

/// Opens a file of /proc/PID.
FILE* open_proc(pid_t pid, const char* name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return fopen(path, "re");
}

uint64_t auxiliary(pid_t pid, uint64_t type) {
  FILE* file = open_proc(pid, "auxv");
  uint64_t value = 0;
  Elf64_auxv_t entry;
  while (file != nullptr && fread(&entry, sizeof entry, 1, file) == 1) {
    if (entry.a_type == type) value = entry.a_un.a_val;
  }
  if (file != nullptr) fclose(file);
  return value;
}

uint32_t gnu_hash(const char* name) {
  uint32_t hash = 5381;
  for (; *name != 0; ++name) hash = hash * 33 + static_cast<unsigned char>(*name);
  return hash;
}

}  // namespace

Target::~Target() {
  if (memory_ >= 0) close(memory_);
  delete[] modules_;
}

bool Target::open() {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", pid_);
  memory_ = ::open(path, O_RDWR | O_CLOEXEC);
  return memory_ >= 0;
}

bool Target::read(uint64_t address, void* data, size_t size) const {
  return pread(memory_, data, size, static_cast<off_t>(address)) == static_cast<ssize_t>(size);
}

bool Target::write(uint64_t address, const void* data, size_t size) const {
  return pwrite(memory_, data, size, static_cast<off_t>(address)) == static_cast<ssize_t>(size);
}

void Target::read_text(uint64_t address, char* text, size_t capacity) const {
  size_t length = 0;
  while (length + 1 < capacity && read(address + length, text + length, 1) && text[length] != 0) ++length;
  text[length] = 0;
}

bool Target::find_modules() {
  delete[] modules_;
  modules_ = nullptr;
  count_ = 0;
  uint64_t headers = auxiliary(pid_, AT_PHDR), count = auxiliary(pid_, AT_PHNUM);
  loader_base_ = auxiliary(pid_, AT_BASE);
  uint64_t program = 0, dynamic = 0, debug = 0;
  bool dynamic_known = false;
  for (uint64_t i = 0; i < count && i < 64; ++i) {
    Elf64_Phdr segment;
    if (!read(headers + i * sizeof segment, &segment)) return false;
    if (segment.p_type == PT_PHDR) program = headers - segment.p_vaddr;
    if (segment.p_type == PT_DYNAMIC) {
      dynamic = segment.p_vaddr;
      dynamic_known = true;
    }
  }
  if (!dynamic_known || loader_base_ == 0) return false;
  for (uint64_t at = program + dynamic;; at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry;
    if (!read(at, &entry) || entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_DEBUG) debug = entry.d_un.d_ptr;
  }
  struct r_debug list;
  if (debug == 0 || !read(debug, &list)) return false;
  modules_ = new Module[max_modules];
  for (auto at = reinterpret_cast<uintptr_t>(list.r_map); at != 0 && count_ < max_modules;) {
    link_map map;
    if (!read(at, &map)) return false;
    if (!add_module(map.l_addr, reinterpret_cast<uintptr_t>(map.l_ld), reinterpret_cast<uintptr_t>(map.l_name))) return false;
    at = reinterpret_cast<uintptr_t>(map.l_next);
  }
  // Before libc's loader has finished, or while a thread loads or unloads one, there is only a part of them.
  if (list.r_state != r_debug::RT_CONSISTENT || !read(debug, &list)) return false;
  return list.r_state == r_debug::RT_CONSISTENT && count_ > 1;
}

bool Target::add_module(uint64_t base, uint64_t dynamic, uint64_t name) {
  Module* module = &modules_[count_++];
  module->base = base;
  module->dynamic = dynamic;
  read_text(name, module->name, sizeof module->name);
  for (uint64_t at = dynamic;; at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry;
    if (!read(at, &entry)) return false;
    if (entry.d_tag == DT_NULL) break;
    uint64_t value = entry.d_un.d_ptr < base ? base + entry.d_un.d_ptr : entry.d_un.d_ptr;
    if (entry.d_tag == DT_SYMTAB) module->symbols = value;
    if (entry.d_tag == DT_STRTAB) module->strings = value;
    if (entry.d_tag == DT_GNU_HASH) module->hash = value;
  }
  Segment segments[32];
  int found = segments_of(*module, segments, 32);
  module->frames = frames_of(*module);
  module->start = found > 0 ? segments[0].start : dynamic;
  for (int i = 0; i < found; ++i) {
    if (segments[i].start < module->start) module->start = segments[i].start;
    if (segments[i].end > module->end) module->end = segments[i].end;
  }
  return true;
}

bool Target::headers_of(const Module& module, uint64_t* headers, uint64_t* count) const {
  // The ELF header lies in the mapping of the lowest address; a program that is not moved has base 0.
  if (&module == &modules_[0]) {
    *headers = auxiliary(pid_, AT_PHDR);
    *count = auxiliary(pid_, AT_PHNUM);
    return true;
  }
  Elf64_Ehdr header;
  if (!read(module.base, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  *headers = module.base + header.e_phoff;
  *count = header.e_phnum;
  return true;
}

uint64_t Target::frames_of(const Module& module) const {
  uint64_t headers = 0, count = 0;
  if (!headers_of(module, &headers, &count)) return 0;
  for (uint64_t i = 0; i < count; ++i) {
    Elf64_Phdr segment;
    if (!read(headers + i * sizeof segment, &segment)) break;
    if (segment.p_type == PT_GNU_EH_FRAME) return module.base + segment.p_vaddr;
  }
  return 0;
}

int Target::segments_of(const Module& module, Segment* segments, int capacity) const {
  uint64_t headers = 0, count = 0;
  if (!headers_of(module, &headers, &count)) return 0;
  int found = 0;
  for (uint64_t i = 0; i < count && found < capacity; ++i) {
    Elf64_Phdr segment;
    if (!read(headers + i * sizeof segment, &segment)) break;
    if (segment.p_type != PT_LOAD) continue;
    uint64_t start = module.base + segment.p_vaddr;
    segments[found++] = {start, start + segment.p_memsz, (segment.p_flags & PF_X) != 0};
  }
  return found;
}

const Module* Target::module_at(uint64_t address) const {
  for (int i = 0; i < count_; ++i) {
    if (modules_[i].holds(address)) return &modules_[i];
  }
  return nullptr;
}

bool Target::find(const Module& module, const char* name, Symbol* symbol) const {
  uint32_t header[4];
  if (module.hash == 0 || module.symbols == 0 || module.strings == 0 || !read(module.hash, header, sizeof header) || header[0] == 0) return false;
  const uint32_t buckets = header[0], first = header[1], bloom = header[2], wanted = gnu_hash(name);
  const uint64_t bucket = module.hash + sizeof header + bloom * sizeof(uint64_t), chain = bucket + buckets * sizeof(uint32_t);
  uint32_t index = 0;
  if (!read(bucket + wanted % buckets * sizeof(uint32_t), &index) || index < first) return false;
  for (;; ++index) {
    uint32_t found = 0;
    if (!read(chain + (index - first) * sizeof(uint32_t), &found)) return false;
    if ((found | 1) == (wanted | 1)) {
      Elf64_Sym entry;
      char text[128];
      if (!read(module.symbols + index * sizeof entry, &entry)) return false;
      read_text(module.strings + entry.st_name, text, sizeof text);
      if (entry.st_shndx != SHN_UNDEF && strcmp(text, name) == 0) {
        symbol->start = module.base + entry.st_value;
        symbol->end = symbol->start + entry.st_size;
        return true;
      }
    }
    if ((found & 1) != 0) return false;
  }
}

const Module* Target::definer(const char* name, Symbol* symbol) const {
  for (int i = 0; i < count_; ++i) {
    if (find(modules_[i], name, symbol)) return &modules_[i];
  }
  return nullptr;
}

uint64_t Target::find_padding(size_t size) const {
  for (int i = count_ - 1; i >= 0; --i) {
    if (strncmp(modules_[i].name, "linux-vdso", 10) == 0) continue;
    Segment segments[32];
    int found = segments_of(modules_[i], segments, 32);
    for (int s = 0; s < found; ++s) {
      uint64_t end = (segments[s].end + 15) & ~uint64_t{15};
      if (!segments[s].executable || end + size > sys::page_up(segments[s].end)) continue;
      uint64_t start = 0, stop = 0;
      bool executable = false;
      if (mapping_of(end, &start, &stop, &executable) && executable && end + size <= stop) return end;
    }
  }
  return 0;
}

bool Target::mapping_of(uint64_t address, uint64_t* start, uint64_t* end, bool* executable) const {
  FILE* file = open_proc(pid_, "maps");
  if (file == nullptr) return false;
  char* line = nullptr;
  size_t room = 0;
  bool found = false;
  while (!found && getline(&line, &room, file) > 0) {
    char mode[8] = {};
    unsigned long from = 0, to = 0;
    if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || address < from || address >= to) continue;
    *start = from;
    *end = to;
    *executable = mode[2] == 'x';
    found = true;
  }
  free(line);
  fclose(file);
  return found;
}

}  // namespace cairn::attach
