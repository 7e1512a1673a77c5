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
#include <sys/sysmacros.h>

#include "restore/image_file.h"
#include "restore/layout.h"
#include "restore/memory.h"
#include "restore/report.h"
#include "restore/resident.h"
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
constexpr uint32_t max_rules = 256;
constexpr uint32_t max_ended = 1024;  // zombies of one process

struct Options {
  const char* folder = nullptr;
  const char* socket = nullptr;
  const char* list = nullptr;      // the file of the snapshot that says which of its processes
  PathRule rules[max_rules];
  uint32_t rule_count = 0;
  int32_t process = 0;  // of the list; 0: whoever the forks make of this one
  int32_t control = -1; // of a resident restorer: orders come from there
};

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
  image::EndedChild ended[max_ended];
  uint32_t ended_count;
  Options options;
  RunOrder order;
  char texts[16384];  // of the options
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

const char* copy_option(Plan* plan, size_t* used, const char* text) {
  size_t size = strlen(text) + 1;
  if (*used + size > sizeof plan->texts) give_up("the arguments are too long");
  char* copy = plan->texts + *used;
  memcpy(copy, text, size);
  *used += size;
  return copy;
}

int32_t number_of(Text text) {
  uint64_t number = 0;
  if (!sys::TextReader(text).number(&number) || number > INT32_MAX) give_up("a number in the arguments is none");
  return static_cast<int32_t>(number);
}

/// VIRTUAL=REAL of a child that has ended.
void add_ended(Plan* plan, const char* value) {
  sys::TextReader reader{Text(value)};
  Text first = reader.until('=');
  if (plan->ended_count == max_ended) give_up("the arguments are too long");
  plan->ended[plan->ended_count++] = {number_of(first), number_of(reader.rest())};
}

/// The words of an argument vector; a copy in the plan outlives the stack of stage one.
void parse_options(int count, char** words, Plan* plan) {
  Options* options = &plan->options;
  *options = Options();
  size_t used = 0;
  for (int i = 1; i < count; i += 2) {
    Text name(words[i]);
    if (i + 1 == count) give_up("the last argument lacks its value; usage: --folder F --socket S");
    const char* value = copy_option(plan, &used, words[i + 1]);
    if (name == Text("--folder")) options->folder = value;
    else if (name == Text("--socket")) options->socket = value;
    else if (name == Text("--list")) options->list = value;
    else if (name == Text("--error-file")) report_to(value);
    else if (name == Text("--process")) options->process = number_of(value);
    else if (name == Text("--resident")) options->control = number_of(value);
    else if (name == Text("--ended")) add_ended(plan, value);
    else if (name == Text("--path")) {
      auto* separator = static_cast<char*>(memchr(const_cast<char*>(value), '=', strlen(value)));
      if (separator == nullptr || options->rule_count == max_rules) give_up("--path takes FROM=TO");
      *separator = 0;
      options->rules[options->rule_count++] = {value, separator + 1};
    } else {
      sys::TextBuffer<256> text;
      text.add("unknown argument ").add(name);
      give_up(text.text());
    }
  }
  if (options->list == nullptr) options->list = copy_option(plan, &used, "processes");
  if (options->folder == nullptr || (options->socket == nullptr && options->control < 0)) {
    give_up("usage: cairn-restore --folder SNAPSHOT --socket AGENT_SOCKET");
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

void* map_or_give_up(uint64_t address, uint64_t size, Text what) {
  int64_t result = call(SYS_mmap, address, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (address != 0 ? 0x100000 /* MAP_FIXED_NOREPLACE */ : 0), -1, 0);
  if (failed(result)) give_up(what, result);
  return reinterpret_cast<void*>(result);
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
  with_list(plan->options, [&](Text list) { process = fork_processes(list, plan->ended, &plan->ended_count, max_ended); });
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

/// The processor that an image is for, or that this restorer is for when the image does not say: decode_image finds out why.
bool is_for_this_processor(Text meta) {
  bool same = true;
  if (image::check_records(meta) != image::ReadResult::ok) return true;
  image::for_each_record(meta, [&](uint32_t type, Text body) {
    if (type != cairn_image_RecordType_RECORD_HEADER) return true;
    Text architecture;
    cairn_image_Header header = cairn_image_Header_init_zero;
    header.architecture = wire::decode_text(&architecture);
    same = !wire::decode(body, cairn_image_Header_fields, &header) || architecture == Text(sys::processor::architecture);
    return false;
  });
  return same;
}

/// The masters' ends of sessions' terminals (tree.h) are for the agent: they have to pass an execve, and only that one.
void pass_terminals_on(bool pass) {
  (void)sys::for_each_entry("/proc/self/fd", [pass](Text name) {
    struct stat64 status = {};
    int32_t fd = number_of(name);
    bool master = !failed(call(SYS_fstat, fd, &status)) && S_ISCHR(status.st_mode) && status.st_rdev == makedev(5, 2);
    if (master && fd > 2) call_unchecked(SYS_fcntl, fd, F_SETFD, pass ? 0 : FD_CLOEXEC);
    return true;
  });
}

/// A program of the other kind is rebuilt by the restorer of that kind, which this process becomes: with its id, parent and session.
[[noreturn]] void become_other_restorer(const Plan& plan, int count, char** words, int32_t process) {
  sys::TextBuffer<4300> path;
  char own[4096];
  if (failed(sys::read_link("/proc/self/exe", own, sizeof own))) give_up("cannot find the restorer for 32-bit programs");
  Text folder(own);
  while (folder.size > 0 && folder.data[folder.size - 1] != '/') --folder.size;
  path.add(folder).add("i386/cairn-restore");
  constexpr size_t of_one = 32;
  uint64_t vector_size = (static_cast<uint64_t>(count) + 2 * plan.ended_count + 7) * sizeof(char*);
  auto** vector = static_cast<const char**>(map_or_give_up(0, vector_size + plan.ended_count * of_one, "no memory"));
  char* texts = reinterpret_cast<char*>(vector) + vector_size;
  size_t size = 0;
  // Of a run of a resident restorer, its own; one that is still to be resident passes that on.
  const Options& options = plan.options;
  const bool ordered = plan.order.socket[0] != 0;
  for (int i = 0; i < count; ++i) {
    if (ordered && Text(words[i]) == Text("--resident")) ++i;
    else vector[size++] = words[i];
  }
  if (ordered) {
    vector[size++] = "--socket";
    vector[size++] = options.socket;
    vector[size++] = "--error-file";
    vector[size++] = plan.order.error_file;
  }
  sys::TextBuffer<of_one> number;
  vector[size++] = "--process";
  vector[size++] = number.number(process).c_str();
  for (uint32_t i = 0; i < plan.ended_count; ++i) {
    vector[size++] = "--ended";
    vector[size++] = sys::TextBuilder(texts + i * of_one, of_one).number(plan.ended[i].virtual_pid).add('=').number(plan.ended[i].real_pid).c_str();
  }
  const char* none[] = {nullptr};
  pass_terminals_on(true);
  long error = call(SYS_execve, path.c_str(), vector, none);
  sys::TextBuffer<4500> text;
  text.add("cannot start ").add(path.text()).add(", which rebuilds 32-bit programs: this installation was built without it (g++-multilib)");
  give_up(text.text(), error);
}

[[noreturn]] void stage_one(int count, char** words) {
  static Plan first;
  parse_options(count, words, &first);
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
  if (options.process == 0 && !is_for_this_processor(Text(meta_text, meta_size))) become_other_restorer(first, count, words, process);
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
  // The option texts moved along.
  uint64_t moved = reinterpret_cast<uintptr_t>(plan) - reinterpret_cast<uintptr_t>(&first);
  auto move = [moved](const char*& text) {
    if (text != nullptr) text = reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(text) + moved);
  };
  move(plan->options.folder);
  move(plan->options.list);
  move(plan->options.socket);
  for (uint32_t i = 0; i < plan->options.rule_count; ++i) {
    move(plan->options.rules[i].from);
    move(plan->options.rules[i].to);
  }
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
                        plan->ended, plan->ended_count};
  start_threads(image, facts);
}

[[noreturn]] void print_checksums(int count, char** words) {
  static char buffer[256 * 1024];
  for (int i = 2; i < count; ++i) {
    sys::UniqueFd fd = sys::open(words[i], O_RDONLY);
    image::Checksum sum;
    uint64_t size = 0;
    long result = fd.status();
    while (result == 0) {
      long read = call(SYS_read, fd.get(), buffer, sizeof buffer);
      if (read == -EINTR) continue;
      if (read == 0) break;
      if (failed(read)) result = read;
      else {
        sum.add(buffer, static_cast<size_t>(read));
        size += static_cast<uint64_t>(read);
      }
    }
    if (result != 0) {
      sys::TextBuffer<4300> text;
      text.add("cannot read ").add(words[i]);
      give_up(text.text(), result);
    }
    sys::TextBuffer<4300> line;
    for (int shift = 60; shift >= 0; shift -= 4) line.add("0123456789abcdef"[(sum.value() >> shift) & 15]);
    line.add(' ').unsigned_number(size).add(' ').add(words[i]).add('\n');
    (void)sys::write_all(1, line.c_str(), line.size());
  }
  call_unchecked(SYS_exit_group, 0);
  __builtin_unreachable();
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
