#include "restore/memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <linux/prctl.h>

#include "restore/report.h"
#include "sys/file.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

namespace cairn::restore {
namespace {

using sys::call;
using sys::failed;

// Small runs are read at once, large ones are mapped and read when touched: the bound keeps a restart's time flat.
constexpr uint64_t read_at_once = 32 << 20;   // bytes in all
constexpr uint64_t usual_map_count = 65530;

/// How many mappings this system lets a process have.
uint64_t max_map_count() {
  char text[32];
  long size = sys::read_all("/proc/sys/vm/max_map_count", text, sizeof text);
  uint64_t limit = 0;
  return size > 0 && sys::TextReader(Text(text, static_cast<size_t>(size))).number(&limit) ? limit : usual_map_count;
}

/// How many runs may become mappings. Each splits the one that it lies in: it costs two. Half of what the process does not
/// need for its own mappings is left to what it does later.
uint64_t room_for_runs(const Image& image) {
  uint64_t limit = max_map_count();
  return limit > image.mapping_count ? (limit - image.mapping_count) / 4 : 0;
}

/// The largest run size that is still read at once. The more runs there are, the more is read, whatever time it takes: a
/// process with more mappings than the system allows could not be built at all.
uint64_t choose_threshold(const Image& image) {
  const uint64_t candidates[] = {4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};
  constexpr uint64_t largest_by_time = 1 << 20;
  uint64_t room = room_for_runs(image), chosen = 0;
  for (uint64_t threshold : candidates) {
    uint64_t small_bytes = 0, mapped = 0;
    for (uint32_t i = 0; i < image.run_count; ++i) {
      if (image.runs[i].bytes <= threshold) small_bytes += image.runs[i].bytes;
      else ++mapped;
    }
    bool cheap = small_bytes <= read_at_once && threshold <= largest_by_time;
    if (mapped <= room && (cheap || chosen == 0)) chosen = threshold;
  }
  return chosen != 0 ? chosen : ~uint64_t{0};
}

void real_path(const Memory& memory, Text path, sys::TextBuilder* real) {
  const PathRule* best = nullptr;
  for (uint32_t i = 0; i < memory.rule_count; ++i) {
    Text from(memory.rules[i].from);
    bool matches = path.starts_with(from) && (path.size == from.size || path.data[from.size] == '/');
    if (matches && (best == nullptr || from.size > strlen(best->from))) best = &memory.rules[i];
  }
  if (best == nullptr) real->add(path);
  else real->add(best->to).add(path.from(strlen(best->from)));
}

[[noreturn]] void cannot_map(const Mapping& mapping, Text what, long error) {
  sys::TextBuffer<5000> text;
  text.add("cannot map ").add(what).add(" at ").hex(mapping.start).add("-").hex(mapping.end);
  if (error == -ENOMEM) text.add(": not enough memory, or more mappings than this system allows");
  give_up(text.text(), error);
}

class Mapper {
 public:
  Mapper(Image* image, const Memory& memory) : image_(*image), memory_(memory), threshold_(choose_threshold(*image)) {}

  void map(const Mapping& mapping) {
    uint64_t size = mapping.end - mapping.start;
    uint32_t first = run_, last = run_;
    while (last < image_.run_count && image_.runs[last].address < mapping.end) ++last;
    run_ = last;
    // Content is written through the mapping: it has to be writable until that is done.
    bool has_small = false;
    for (uint32_t i = first; i < last; ++i) has_small = has_small || !is_lazy(mapping, image_.runs[i]);
    uint32_t protection = mapping.protection | (has_small ? PROT_READ | PROT_WRITE : 0u);
    long result = 0;
    switch (mapping.kind) {
      case cairn_image_MappingKind_MAPPING_FILE:
        map_file(mapping, protection);
        break;
      case cairn_image_MappingKind_MAPPING_SHARED:
        result = call(SYS_mmap, mapping.start, size, protection, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
        break;
      case cairn_image_MappingKind_MAPPING_SHARED_FILE:  // reserved for the agent
        result = call(SYS_mmap, mapping.start, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
        break;
      case cairn_image_MappingKind_MAPPING_STACK:
        result = call(SYS_mmap, mapping.start, size, protection,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN | MAP_STACK, -1, 0);
        break;
      default:
        result = call(SYS_mmap, mapping.start, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
    }
    if (failed(result)) cannot_map(mapping, "memory", result);
    give_name(mapping);
    for (uint32_t i = first; i < last; ++i) fill(mapping, image_.runs[i]);
    if (protection != mapping.protection) {
      result = call(SYS_mprotect, mapping.start, size, mapping.protection);
      if (failed(result)) cannot_map(mapping, "memory with its protection", result);
    }
  }

  /// Passes over a mapping that is there already.
  void skip(const Mapping& mapping) {
    while (run_ < image_.run_count && image_.runs[run_].address < mapping.end) ++run_;
  }

 private:
  [[nodiscard]] bool is_lazy(const Mapping& mapping, const Run& run) const {
    // Code could lie on a file system from which nothing may be executed, shared content must not belong to a file.
    return run.bytes > threshold_ && (mapping.protection & PROT_EXEC) == 0 &&
           (mapping.kind == cairn_image_MappingKind_MAPPING_ANONYMOUS || mapping.kind == cairn_image_MappingKind_MAPPING_COPY ||
            mapping.kind == cairn_image_MappingKind_MAPPING_FILE);
  }

  /// The name that the program gave to anonymous memory, for who looks at /proc. Where content is a mapping of the image it cannot
  /// have one, and some kernels know no such names: it does without.
  static void give_name(const Mapping& mapping) {
    Text prefix("[anon:");
    if (!mapping.name.starts_with(prefix) || !mapping.name.ends_with("]")) return;
    sys::TextBuffer<128> name;  // the kernel takes 80 bytes
    name.add(Text(mapping.name.data + prefix.size, mapping.name.size - prefix.size - 1));
    sys::call_unchecked(SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, mapping.start, mapping.end - mapping.start, name.c_str());
  }

  void map_file(const Mapping& mapping, uint32_t protection) {
    sys::TextBuffer<4200> path;
    real_path(memory_, image_.files[mapping.file].path, &path);
    sys::UniqueFd fd = sys::open(path.c_str(), O_RDONLY);
    if (!fd.ok()) {
      sys::TextBuffer<4400> text;
      text.add("cannot open ").add(path.text()).add(", which the process has mapped; put it back, or map its folder by --path");
      give_up(text.text(), fd.status());
    }
    int64_t result = call(SYS_mmap, mapping.start, mapping.end - mapping.start, protection, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
                       fd.get(), mapping.offset);
    if (failed(result)) cannot_map(mapping, path.text(), result);
  }

  void fill(const Mapping& mapping, const Run& run) {
    if (run.address < mapping.start || run.address + run.bytes > mapping.end) give_up("the image's description is damaged");
    if (is_lazy(mapping, run)) {
      int64_t result = call(SYS_mmap, run.address, run.bytes, mapping.protection, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, memory_.pages_fd, run.offset);
      if (failed(result)) cannot_map(mapping, "the memory image", result);
      image_.lazy[image_.lazy_count++] = {run.address, run.address + run.bytes};
      return;
    }
    sys::Status status = sys::read_at(memory_.pages_fd, reinterpret_cast<void*>(run.address), run.bytes, run.offset);
    if (status != 0) give_up("cannot read the memory image", status);
  }

  Image& image_;
  const Memory& memory_;
  uint64_t threshold_;
  uint32_t run_ = 0;
};

}  // namespace

void map_memory(Image* image, const Memory& memory, bool vdso_moved, bool shared) {
  Mapper mapper(image, memory);
  for (uint32_t i = 0; i < image->mapping_count; ++i) {
    const Mapping& mapping = image->mappings[i];
    if (mapping.kind == cairn_image_MappingKind_MAPPING_SHARED && !shared) {
      mapper.skip(mapping);
    } else if (mapping.kind != cairn_image_MappingKind_MAPPING_VDSO) {
      mapper.map(mapping);
    } else if (!vdso_moved) {
      Mapping writable = mapping;
      writable.protection |= PROT_WRITE;
      mapper.map(writable);
    } else {
      mapper.skip(mapping);
    }
  }
}

void map_shared_memory(Image* image, const Memory& memory) {
  Mapper mapper(image, memory);
  for (uint32_t i = 0; i < image->mapping_count; ++i) {
    const Mapping& mapping = image->mappings[i];
    if (mapping.kind == cairn_image_MappingKind_MAPPING_SHARED) mapper.map(mapping);
    else mapper.skip(mapping);
  }
}

void set_layout(const Image& image) {
  // As a 64-bit kernel has it, whatever the process.
  struct {
    uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end, auxv;
    uint32_t auxv_size, exe_fd;
  } map = {};
  map.start_code = image.memory.start_code;
  map.end_code = image.memory.end_code;
  map.start_data = image.memory.start_data;
  map.end_data = image.memory.end_data;
  map.start_brk = image.memory.start_brk;
  map.brk = image.memory.brk;
  map.start_stack = image.memory.start_stack;
  map.arg_start = image.memory.arg_start;
  map.arg_end = image.memory.arg_end;
  map.env_start = image.memory.env_start;
  map.env_end = image.memory.env_end;
  map.auxv = reinterpret_cast<uintptr_t>(image.auxv.data);
  map.auxv_size = static_cast<uint32_t>(image.auxv.size);
  map.exe_fd = ~0u;
  long result = call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
  // Without CONFIG_CHECKPOINT_RESTORE the heap cannot grow by brk; libc's malloc then takes other memory.
  (void)result;
}

}  // namespace cairn::restore
