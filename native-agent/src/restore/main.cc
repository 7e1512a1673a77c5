// cairn-restore: becomes the processes that a snapshot describes.
//
//   cairn-restore --folder SNAPSHOT --socket AGENT_SOCKET [--list NAME] [--error-file FILE] [--path FROM=TO]...
//   cairn-restore --folder SNAPSHOT --resident DESCRIPTOR [--list NAME] [--path FROM=TO]...      any number of times: resident.h
//   cairn-restore --checksum FILE...        prints "XXH3 (hex) SIZE FILE" for each
//
// A static position-independent program without libc. First it forks into the processes of the snapshot (tree.h); then each
// becomes its own. Stage one, wherever the kernel put it: reads the image and finds a
// place that is free in the old process and now. Stage two, from a copy of itself there: unmaps everything else, maps the old
// memory, and starts the threads in the agent's code, which later unmaps this place too.
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "restore/checksums.h"
#include "restore/image_file.h"
#include "restore/layout.h"
#include "restore/memory.h"
#include "restore/options.h"
#include "restore/other_kind.h"
#include "restore/report.h"
#include "restore/resident.h"
#include "restore/room.h"
#include "restore/threads.h"
#include "restore/tree.h"
#include "restore/vdso.h"
#include "sys/code.h"
#include "sys/context.h"
#include "sys/elf.h"
#include "sys/file.h"
#include "sys/maps.h"

extern "C" {
extern const char image_start asm("__ehdr_start") __attribute__((visibility("hidden")));
extern const char image_end asm("_end") __attribute__((visibility("hidden")));
extern const ElfW(Dyn) dynamic_section[] asm("_DYNAMIC") __attribute__((visibility("hidden")));
}

namespace cairn::restore {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::page_up;
using sys::elf::Relocation;

constexpr size_t stack_size = 256 * 1024;
constexpr size_t scratch_size = 1 << 20;  // for the kernel's pages on their way

/// All that stage two needs; in the restorer's final place.
struct Plan {
  Range place;
  uint64_t scratch;
  uint64_t stack_top;
  Text meta;
  sys::Arena arena;
  int pages_fd;
  uint64_t pages_device;
  uint64_t pages_inode;
  Options options;
  RunOrder order;
};

// The stack protector of the C code reads its guard from here.
alignas(64) char thread_block[256];

void use_thread_block() { sys::processor::use_block(thread_block); }

/// Corrects the addresses in the copy at `base`, in which they are those of a program at `before`.
void relocate(uintptr_t base, uintptr_t before) {
  const Relocation* table = nullptr;
  uint64_t size = 0;
  for (const ElfW(Dyn)* entry = dynamic_section; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == sys::elf::table_tag) table = reinterpret_cast<const Relocation*>(reinterpret_cast<uintptr_t>(&image_start) + entry->d_un.d_ptr);
    if (entry->d_tag == sys::elf::table_size_tag) size = entry->d_un.d_val;
  }
  for (uint64_t i = 0; i < size / sizeof(Relocation); ++i) {
    if (sys::elf::kind_of(table[i]) != sys::elf::Relocate::base) continue;
    auto* place = reinterpret_cast<uintptr_t*>(base + table[i].r_offset);
    // An addend that stands at the place itself is an address of before already.
    *place = base + sys::elf::addend_of(table[i], place) - (sys::elf::addend_at_place ? before : 0);
  }
}

/// Address ranges that stage two must not lie in: of the old process, and of this one.
uint32_t taken_ranges(const Image& image, Range* ranges, uint32_t capacity, char* maps, long maps_size) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < image.mapping_count; ++i) ranges[count++] = {image.mappings[i].start, image.mappings[i].end};
  ranges[count++] = {image.header.arena_start, image.header.arena_start + image.header.arena_size};
  ranges[count++] = {image.memory.vvar_start, image.memory.vdso_start + image.memory.vdso_size};
  sys::TextReader reader(Text(maps, static_cast<size_t>(maps_size)));
  sys::MapLine line;
  while (count < capacity && sys::next_map_line(&reader, &line)) ranges[count++] = {line.start, line.end};
  return count;
}

[[noreturn]] void stage_two(Plan* plan);

/// On the new stack, in the copy.
[[noreturn]] void enter_copy(Plan* plan, uint64_t entry) {
  sys::processor::jump_to(entry, plan, plan->stack_top);
}

template <typename Use>
void with_list(const Options& options, Use use) {
  constexpr long capacity = 256 * 1024;
  sys::TextBuffer<4300> path;
  path.add(options.folder).add("/").add(options.list);
  char* text = static_cast<char*>(map_or_give_up(0, capacity, "no memory"));
  long size = sys::read_all(path.c_str(), text, capacity);
  if (failed(size)) give_up("cannot read the list of processes in the snapshot's folder", size);
  use(Text(text, static_cast<size_t>(size)));
  call_unchecked(SYS_munmap, text, capacity);
}

/// Returns in every process of the snapshot, with its virtual pid.
int32_t fork_snapshot(Plan* plan) {
  int32_t process = 0;
  with_list(plan->options, [&](Text list) { process = fork_processes(list, plan->options.ended, &plan->options.ended_count, max_ended); });
  return process;
}

/// In each run of a resident restorer.
void await_order(Plan* plan) {
  serve_runs(plan->options.control, &plan->order);
  plan->options.control = -1;
  plan->options.socket = plan->order.socket;
}

/// A process alone is resident with all of its memory, and its virtual pid is given; of several, 0, the children's places are made by forks
/// before there is any memory, so each run has to read its own.
int32_t resident_process(const Options& options) {
  int32_t first = 0;
  uint32_t living = 0;
  with_list(options, [&](Text list) { living = living_processes(list, &first); });
  return living == 1 ? first : 0;
}

[[noreturn]] void stage_one(int count, char** words) {
  static Plan first;
  parse_options(count, words, &first.options);
  const Options& options = first.options;
  int32_t process = options.process;
  if (process != 0) {
    pass_terminals_on(false);
  } else if (options.control >= 0) {
    leave_guard(options.control);
    process = resident_process(options);
    if (process == 0) await_order(&first);
  }
  if (process == 0) process = fork_snapshot(&first);
  sys::TextBuffer<4300> path;
  path.add(options.folder).add("/p").number(process).add(".meta");
  sys::UniqueFd meta = sys::open(path.c_str(), O_RDONLY);
  struct stat64 status = {};
  if (!meta.ok() || failed(call(SYS_fstat, meta.get(), &status))) give_up("cannot open the image's description in the snapshot's folder", meta.status());
  uint64_t meta_size = static_cast<uint64_t>(status.st_size);
  char* meta_text = static_cast<char*>(map_or_give_up(0, meta_size + 1, "no memory for the image's description"));
  if (long result = sys::read_at(meta.get(), meta_text, meta_size, 0); result != 0) give_up("cannot read the image's description", result);
  meta.reset(-1);
  if (options.process == 0 && !is_for_this_processor(Text(meta_text, meta_size))) become_other_restorer(first.options, first.order, count, words, process);
  path.clear();
  path.add(options.folder).add("/p").number(process).add(".pages");
  sys::UniqueFd pages = sys::open(path.c_str(), O_RDONLY);
  if (!pages.ok() || failed(call(SYS_fstat, pages.get(), &status))) give_up("cannot open the memory image in the snapshot's folder", pages.status());

  sys::Arena arena;
  uint64_t work_size = decoded_size(meta_size);
  arena.use(map_or_give_up(0, work_size, "no memory for the image's description"), work_size, 0);
  Image image;
  decode_image(Text(meta_text, meta_size), &arena, &image);
  if (static_cast<uint64_t>(status.st_size) != image.header.pages_bytes) give_up("the memory image is cut off");

  constexpr long maps_capacity = 256 * 1024;
  char* maps = static_cast<char*>(map_or_give_up(0, maps_capacity, "no memory"));
  long maps_size = sys::read_all("/proc/self/maps", maps, maps_capacity);
  if (failed(maps_size)) give_up("cannot read /proc/self/maps", maps_size);
  uint32_t capacity = image.mapping_count + 4096;
  auto* ranges = static_cast<Range*>(map_or_give_up(0, capacity * sizeof(Range), "no memory"));
  uint32_t range_count = taken_ranges(image, ranges, capacity, maps, maps_size);

  // Its layout: this program, then plan, description, lists, stack, scratch.
  uint64_t program = reinterpret_cast<uintptr_t>(&image_start);
  uint64_t program_size = page_up(reinterpret_cast<uintptr_t>(&image_end)) - program;
  uint64_t size = program_size + page_up(sizeof(Plan)) + page_up(meta_size + 1) + page_up(work_size) + stack_size + scratch_size;
  uint64_t place = find_gap(ranges, range_count, size);
  if (place == 0) give_up("no room in the address space beside the process");
  map_or_give_up(place, size - scratch_size, "no memory for the restorer");
  uint64_t next = place + program_size;
  auto* plan = reinterpret_cast<Plan*>(next);
  next += page_up(sizeof(Plan));
  memcpy(plan, &first, sizeof first);
  plan->options.moved_from(first.options);
  memcpy(reinterpret_cast<void*>(next), meta_text, meta_size);
  plan->meta = Text(reinterpret_cast<const char*>(next), meta_size);
  next += page_up(meta_size + 1);
  plan->arena.use(reinterpret_cast<void*>(next), work_size, 0);
  next += page_up(work_size);
  plan->stack_top = next + stack_size;
  plan->scratch = next + stack_size;
  plan->place = {place, plan->scratch};
  plan->pages_fd = pages.release();
  plan->pages_device = status.st_dev;
  plan->pages_inode = status.st_ino;

  memcpy(reinterpret_cast<void*>(place), reinterpret_cast<const void*>(program), program_size);
  relocate(static_cast<uintptr_t>(place), static_cast<uintptr_t>(program));
  auto* header = reinterpret_cast<const ElfW(Ehdr)*>(place);
  auto* segments = reinterpret_cast<const ElfW(Phdr)*>(place + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const ElfW(Phdr)& segment = segments[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    uint64_t start = sys::page_down(place + segment.p_vaddr);
    long result = call(SYS_mprotect, start, page_up(place + segment.p_vaddr + segment.p_memsz) - start, PROT_READ | PROT_EXEC);
    if (failed(result)) give_up("this system forbids memory that holds code", result);
  }
  enter_copy(plan, place + (reinterpret_cast<uintptr_t>(&stage_two) - program));
}

/// Unmaps what is neither the restorer's nor the kernel's.
void clear_memory(const Plan& plan, KernelPages* kernel) {
  static char maps[256 * 1024];
  long size = sys::read_all("/proc/self/maps", maps, sizeof maps);
  if (failed(size)) give_up("cannot read /proc/self/maps", size);
  sys::TextReader reader(Text(maps, static_cast<size_t>(size)));
  sys::MapLine line;
  while (sys::next_map_line(&reader, &line)) {
    if (line.path == Text("[vdso]")) kernel->vdso = {line.start, line.end};
    else if (line.path.starts_with("[vvar")) {
      if (kernel->vvar_count == 8) give_up("this kernel's vdso has more parts than expected");
      kernel->vvar[kernel->vvar_count++] = {line.start, line.end};
    } else if (line.path != Text("[vsyscall]") && !overlap(plan.place, {line.start, line.end})) {
      long result = call(SYS_munmap, line.start, line.end - line.start);
      if (failed(result)) give_up("cannot unmap the restorer's own memory", result);
    }
  }
}

void stage_two(Plan* plan) {
  use_thread_block();
  uint64_t all_signals = ~uint64_t{0};
  call_unchecked(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &all_signals, nullptr, 8);
  Image image;
  decode_image(plan->meta, &plan->arena, &image);
  KernelPages kernel;
  clear_memory(*plan, &kernel);
  bool vdso_moved = kernel.vdso.start != 0 && image.memory.vdso_start != 0 && move_vdso(image, &kernel, plan->scratch);
  if (!vdso_moved && kernel.vdso.start != 0 && !make_way(image, &kernel, plan->scratch)) {
    give_up("the kernel's vdso lies where the process had memory, and this kernel does not let it be moved; try again");
  }
  Memory memory = {plan->pages_fd, plan->options.rules, plan->options.rule_count};
  const bool resident = plan->options.control >= 0;
  map_memory(&image, memory, vdso_moved || image.memory.vdso_start == 0, !resident);
  if (!vdso_moved && kernel.vdso.start != 0 && image.memory.vdso_start != 0) {
    redirect_vdso(image, kernel);
    call_unchecked(SYS_mprotect, image.memory.vdso_start, image.memory.vdso_size, PROT_READ | PROT_EXEC);
  }
  set_layout(image);
  if (resident) {
    await_order(plan);
    // Children of this run's process, if they have only ended.
    (void)fork_snapshot(plan);
    map_shared_memory(&image, memory);
  }
  call_unchecked(SYS_close, plan->pages_fd);
  HandoffFacts facts = {plan->options.socket, plan->options.folder, plan->place, plan->pages_device, plan->pages_inode,
                        plan->options.ended, plan->options.ended_count};
  start_threads(image, facts);
}

}  // namespace
}  // namespace cairn::restore

extern "C" [[noreturn, gnu::used]] void restore_main(long* stack) {
  using namespace cairn::restore;
  // Before this, nothing may use a stored address.
  relocate(reinterpret_cast<uintptr_t>(&image_start), 0);
  use_thread_block();
  int count = static_cast<int>(stack[0]);
  char** words = reinterpret_cast<char**>(stack + 1);
  if (count > 1 && Text(words[1]) == Text("--checksum")) print_checksums(count, words);
  stage_one(count, words);
}

CAIRN_START(restore_main);
