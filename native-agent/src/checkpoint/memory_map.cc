#include "checkpoint/memory_map.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/file.h"

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::failed;
using sys::Status;
using sys::Text;

constexpr size_t max_maps_text = 16 << 20;
constexpr uint32_t max_files = 8192;

struct FileStatus {
  uint64_t size;
  uint64_t mtime_ns;
  uint64_t device;
  uint64_t inode;
};

bool file_status(Text path, FileStatus* status) {
  sys::TextBuffer<4096> name;
  name.add(path);
  struct stat64 data = {};
  if (failed(call(SYS_newfstatat, AT_FDCWD, name.c_str(), &data, 0))) return false;
  status->size = static_cast<uint64_t>(data.st_size);
  status->mtime_ns = static_cast<uint64_t>(data.st_mtim.tv_sec) * 1000000000u + static_cast<uint64_t>(data.st_mtim.tv_nsec);
  status->device = data.st_dev;
  status->inode = data.st_ino;
  return true;
}

class Builder {
 public:
  Builder(sys::Arena* arena, const MemoryContext& context, ClaimMapping claim, KeepsContent keeps, MemoryMap* map, sys::Error* error)
      : arena_(arena), context_(context), claim_(claim), keeps_(keeps), map_(map), error_(error) {}

  bool build() {
    char* text = static_cast<char*>(arena_->allocate(max_maps_text));
    if (text == nullptr) return no_room();
    long size = sys::read_all("/proc/thread-self/maps", text, max_maps_text);
    if (failed(size)) {
      error_->set(static_cast<Status>(size), "/proc/thread-self/maps").add("cannot read the list of mappings");
      return false;
    }
    for (long at = 0; at < size; ++at) max_mappings_ += text[at] == '\n' ? 1 : 0;
    ++max_mappings_;  // one may be in two parts, around the arena
    map_->mappings = arena_->array<Mapping>(max_mappings_);
    map_->files = arena_->array<MappedFile>(max_files);
    if (map_->mappings == nullptr || map_->files == nullptr) return no_room();
    sys::TextReader reader(Text(text, static_cast<size_t>(size)));
    sys::MapLine line;
    while (sys::next_map_line(&reader, &line)) {
      if (!add(line)) return false;
    }
    return true;
  }

 private:
  bool no_room() {
    error_->set(-ENOMEM, "agent arena").add("no room for the list of mappings");
    return false;
  }

  /// The kernel may have merged the arena with memory of the program that lies beside it.
  bool add(const sys::MapLine& line) {
    if (line.end <= context_.arena_start || line.start >= context_.arena_end) return add_part(line);
    sys::MapLine before = line, after = line;
    before.end = context_.arena_start;
    after.start = context_.arena_end;
    return (line.start >= before.end || add_part(before)) && (line.end <= after.start || add_part(after));
  }

  bool add_part(const sys::MapLine& line) {
    if (line.start >= context_.names_start && line.end <= context_.names_end) return true;
    if (line.path == Text("[vsyscall]")) return true;
    if (line.path.starts_with("[vvar")) {
      if (map_->vvar_start == 0) map_->vvar_start = line.start;
      map_->vvar_end = line.end;
      return true;
    }
    Mapping* mapping = &map_->mappings[map_->mapping_count++];
    *mapping = {line.start, line.end, line.protection, cairn_image_MappingKind_MAPPING_ANONYMOUS, 0, line.offset, line.path,
                nullptr, false, makedev(line.device_major, line.device_minor), line.inode};
    return line.shared ? classify_shared(line, mapping) : classify_private(line, mapping);
  }

  bool classify_private(const sys::MapLine& line, Mapping* mapping) {
    if (line.path == Text("[vdso]")) {
      map_->vdso_start = line.start;
      map_->vdso_end = line.end;
      mapping->kind = cairn_image_MappingKind_MAPPING_VDSO;
      mapping->whole = true;
      return true;
    }
    if (line.path == Text("[stack]")) {
      mapping->kind = cairn_image_MappingKind_MAPPING_STACK;
      return true;
    }
    if (line.inode == 0) return true;  // anonymous, [heap], [anon:…]
    // Some file systems show another device number here than stat does: then the name decides.
    if (context_.pages_inode != 0 && line.inode == context_.pages_inode &&
        (makedev(line.device_major, line.device_minor) == context_.pages_device || line.path.ends_with(".pages"))) {
      mapping->whole = true;
      mapping->path = Text();
      return true;
    }
    if (line.start >= context_.agent_start && line.end <= context_.agent_end) {
      mapping->kind = cairn_image_MappingKind_MAPPING_COPY;
      return true;
    }
    if (line.path.starts_with("/dev/zero") || line.path.starts_with("/anon_hugepage")) {
      mapping->whole = true;
      return true;
    }
    FileStatus status;
    if (line.path.ends_with(" (deleted)") || !file_status(line.path, &status) || status.inode != line.inode ||
        keeps_(*mapping)) {
      mapping->kind = cairn_image_MappingKind_MAPPING_COPY;
      return true;
    }
    mapping->kind = cairn_image_MappingKind_MAPPING_FILE;
    return find_file(line.path, status, &mapping->mapped_file);
  }

  bool classify_shared(const sys::MapLine& line, Mapping* mapping) {
    if (line.path == Text("/dev/zero (deleted)") || line.path.starts_with("[anon_shmem:")) {
      mapping->kind = cairn_image_MappingKind_MAPPING_SHARED;
      return true;
    }
    mapping->kind = cairn_image_MappingKind_MAPPING_SHARED_FILE;
    // The first System V segment of a system has the number 0.
    if ((line.inode != 0 || line.path.starts_with("/SYSV")) && claim_(*mapping, mapping->device, line.inode)) return true;
    if (error_->failed()) return false;
    if (line.path.ends_with(" (deleted)") && !line.path.starts_with("/SYSV")) {
      // No descriptor and no name is left: what the mapping shows is all that there is of it.
      mapping->kind = cairn_image_MappingKind_MAPPING_SHARED;
      return true;
    }
    error_->set(-ENOTSUP, line.path.empty() ? Text("shared mapping") : line.path)
        .add("the shared mapping at ").hex(line.start).add(" of ").add(line.path)
        .add(" belongs to no plugin, so that it could not be brought back; the computation runs on");
    return false;
  }

  bool find_file(Text path, const FileStatus& status, uint32_t* index) {
    for (uint32_t i = map_->file_count; i-- > 0;) {
      if (map_->files[i].inode == status.inode && map_->files[i].device == status.device) {
        *index = i;
        return true;
      }
    }
    if (map_->file_count == max_files) {
      error_->set(-E2BIG, "memory map").add("more than ").number(max_files).add(" mapped files");
      return false;
    }
    *index = map_->file_count;
    map_->files[map_->file_count++] = {path, status.size, status.mtime_ns, status.device, status.inode};
    return true;
  }

  sys::Arena* arena_;
  const MemoryContext& context_;
  ClaimMapping claim_;
  KeepsContent keeps_;
  MemoryMap* map_;
  sys::Error* error_;
  uint32_t max_mappings_ = 0;
};

}  // namespace

bool read_memory_map(sys::Arena* arena, const MemoryContext& context, ClaimMapping claim, KeepsContent keeps,
                     MemoryMap* map, sys::Error* error) {
  *map = MemoryMap();
  return Builder(arena, context, claim, keeps, map, error).build();
}

void library_extent(uint64_t* start, uint64_t* end) {
  extern const char header_start[] __asm__("__ehdr_start") __attribute__((visibility("hidden")));
  auto* header = reinterpret_cast<const ElfW(Ehdr)*>(header_start);
  auto* segments = reinterpret_cast<const ElfW(Phdr)*>(header_start + header->e_phoff);
  *start = *end = reinterpret_cast<uintptr_t>(header);
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    uint64_t top = sys::page_up(*start + segments[i].p_vaddr + segments[i].p_memsz);
    if (segments[i].p_type == PT_LOAD && top > *end) *end = top;
  }
}

namespace {
/// /proc/thread-self/mem also reads what the application has made inaccessible, but no guard regions: these are one mapping's alone, and
/// another one of the same memory has none.
Status read_shared(const Mapping& mapping, void* copy) {
  size_t size = mapping.end - mapping.start;
  sys::UniqueFd memory = sys::open("/proc/thread-self/mem", O_RDONLY);
  if (!memory.ok()) return memory.status();
  Status status = sys::read_at(memory.get(), copy, size, mapping.start);
  if (status != -EIO) return status;
  int64_t other = call(SYS_mremap, mapping.start, 0, size, MREMAP_MAYMOVE);
  if (failed(other)) return static_cast<Status>(other);
  status = sys::read_at(memory.get(), copy, size, static_cast<uint64_t>(other));
  sys::call_unchecked(SYS_munmap, other, size);
  return status;
}
}  // namespace

bool copy_shared(MemoryMap* map, sys::Error* error) {
  for (uint32_t i = 0; i < map->mapping_count; ++i) {
    Mapping* mapping = &map->mappings[i];
    if (mapping->kind != cairn_image_MappingKind_MAPPING_SHARED) continue;
    size_t size = mapping->end - mapping->start;
    int64_t copy = call(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (failed(copy)) {
      error->set(static_cast<Status>(copy), "mmap").add("no memory for a copy of the shared mapping at ").hex(mapping->start);
      return false;
    }
    mapping->copy = reinterpret_cast<const char*>(copy);
    Status status = read_shared(*mapping, reinterpret_cast<void*>(copy));
    if (status != 0) {
      error->set(status, "/proc/thread-self/mem").add("cannot read the shared mapping at ").hex(mapping->start);
      return false;
    }
  }
  return true;
}

void release_copies(MemoryMap* map) {
  for (uint32_t i = 0; i < map->mapping_count; ++i) {
    Mapping* mapping = &map->mappings[i];
    if (mapping->copy != nullptr) sys::call_unchecked(SYS_munmap, mapping->copy, mapping->end - mapping->start);
    mapping->copy = nullptr;
  }
}

}  // namespace cairn::checkpoint
