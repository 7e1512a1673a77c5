#include "checkpoint/process_state.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "image/attached.h"
#include "image/handoff.h"
#include "sys/file.h"

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::failed;
using sys::processor::peek;
using sys::Status;
using sys::Text;
using wire::encode_text;

// Kept from one checkpoint to the next. A slot that another thread took only costs that call an EINTR after a restart.
image::AttachedCall continued[image::attached_calls];

struct Flags {
  Text line;  // "fpu vme …"
};

bool write_words(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  sys::TextReader reader(static_cast<const Flags*>(*argument)->line);
  while (!reader.done()) {
    Text word = reader.until(' ');
    if (word.empty()) continue;
    if (!pb_encode_tag_for_field(stream, field)) return false;
    if (!pb_encode_string(stream, reinterpret_cast<const pb_byte_t*>(word.data), word.size)) return false;
  }
  return true;
}

/// A value of the first processor in /proc/cpuinfo.
Text cpuinfo_value(Text cpuinfo, Text key) {
  sys::TextReader reader(cpuinfo);
  while (!reader.done()) {
    Text line = reader.until('\n');
    if (!line.starts_with(key)) continue;
    sys::TextReader in(line);
    in.until(':');
    in.skip(' ');
    return in.rest();
  }
  return {};
}

uint64_t enabled_xfeatures() {
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

uint64_t auxv_value(const ElfW(auxv_t)* auxv, size_t count, uint64_t type) {
  for (size_t i = 0; i < count; ++i) {
    if (auxv[i].a_type == type) return auxv[i].a_un.a_val;
  }
  return 0;
}

/// The GNU build id of the ELF file whose first page is mapped at `base`, in hex.
void build_id_of(uint64_t base, sys::TextBuilder* hex) {
  ElfW(Ehdr) header;
  if (!peek(base, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return;
  for (unsigned i = 0; i < header.e_phnum && i < 64; ++i) {
    ElfW(Phdr) segment;
    if (!peek(base + header.e_phoff + i * sizeof segment, &segment, sizeof segment) || segment.p_type != PT_NOTE) continue;
    uint64_t at = base + segment.p_offset;
    uint64_t end = at + segment.p_filesz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      char name[4];
      if (!peek(at, &note, sizeof note)) return;
      uint64_t content = at + sizeof note + ((note.n_namesz + 3) & ~3u);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && peek(at + sizeof note, name, 4) &&
          memcmp(name, "GNU", 4) == 0) {
        unsigned char bytes[64];
        size_t size = note.n_descsz < sizeof bytes ? note.n_descsz : sizeof bytes;
        if (!peek(content, bytes, size)) return;
        for (size_t b = 0; b < size; ++b) hex->unsigned_number(bytes[b] >> 4, 16).unsigned_number(bytes[b] & 15, 16);
        return;
      }
      at = content + ((note.n_descsz + 3) & ~3u);
    }
  }
}

}  // namespace

long continued_call(int32_t real_tid, const sys::processor::Registers& registers) {
  const image::AttachedCall& entry = continued[static_cast<uint32_t>(real_tid) % image::attached_calls];
  bool same = entry.tid == real_tid && entry.rip == sys::processor::instruction_of(registers) && entry.rsp == sys::processor::stack_of(registers);
  return same ? entry.number : -1;
}

uint64_t continued_calls() { return reinterpret_cast<uintptr_t>(continued); }

void remember_call(int32_t real_tid, const sys::processor::Registers& registers) {
  long number = sys::processor::call_number(registers);
  if (number < 0 || number == SYS_restart_syscall) return;
  continued[static_cast<uint32_t>(real_tid) % image::attached_calls] = {real_tid, number, sys::processor::instruction_of(registers), sys::processor::stack_of(registers)};
}

void write_header(image::RecordWriter* records, const ProcessFacts& facts, const MemoryMap& map, Text snapshot,
                  uint64_t pages_bytes) {
  static char cpuinfo[16 * 1024];
  static ElfW(auxv_t) auxv[64];
  // More processors than fit here repeat what the first says.
  long cpuinfo_size = sys::read_all("/proc/cpuinfo", cpuinfo, sizeof cpuinfo);
  if (cpuinfo_size == -EFBIG) cpuinfo_size = sizeof cpuinfo;
  Text processors(cpuinfo, failed(cpuinfo_size) ? 0 : static_cast<size_t>(cpuinfo_size));
  long auxv_size = sys::read_all("/proc/self/auxv", reinterpret_cast<char*>(auxv), sizeof auxv);
  size_t auxv_count = failed(auxv_size) ? 0 : static_cast<size_t>(auxv_size) / sizeof auxv[0];
  struct utsname system = {};
  sys::call_unchecked(SYS_uname, &system);

  Text architecture(sys::processor::architecture), build_id(facts.build_id), kernel(system.release), libc(facts.libc_version);
  Text model = cpuinfo_value(processors, "model name");
  Flags flags = {cpuinfo_value(processors, "flags")};
  cairn_image_Header header = cairn_image_Header_init_zero;
  header.format = image::format_version;
  header.architecture = encode_text(&architecture);
  header.page_size = sys::page_size;
  header.virtual_pid = facts.virtual_pid;
  header.build_id = encode_text(&build_id);
  header.kernel = encode_text(&kernel);
  header.libc = encode_text(&libc);
  header.xfeatures = enabled_xfeatures();
  header.cpu_model = encode_text(&model);
  header.pages_bytes = pages_bytes;
  for (uint32_t i = 0; i < map.mapping_count; ++i) header.memory_bytes += map.mappings[i].end - map.mappings[i].start;
  header.executable = encode_text(&facts.executable);
  header.snapshot = encode_text(&snapshot);
  header.hwcap = auxv_value(auxv, auxv_count, AT_HWCAP);
  header.hwcap2 = auxv_value(auxv, auxv_count, AT_HWCAP2);
  header.agent_entry = facts.agent_entry;
  header.thread_entry = facts.thread_entry;
  header.arena_start = facts.arena_start;
  header.arena_size = facts.arena_size;
  header.handoff_version = image::handoff_version;
  header.cpu_features.funcs.encode = write_words;
  header.cpu_features.arg = &flags;
  records->add(cairn_image_RecordType_RECORD_HEADER, cairn_image_Header_fields, &header);
}

bool write_memory(image::RecordWriter* records, const MemoryMap& map, sys::Error* error) {
  static char stat_line[2048];
  static char auxv[2048];
  long size = sys::read_all("/proc/self/stat", stat_line, sizeof stat_line);
  if (failed(size)) {
    error->set(static_cast<Status>(size), "/proc/self/stat").add("cannot read the memory layout");
    return false;
  }
  // Fields are counted from 1; the second one, the name, may hold spaces and parentheses.
  uint64_t field[53] = {};
  size_t name_end = static_cast<size_t>(size);
  while (name_end > 0 && stat_line[name_end - 1] != ')') --name_end;
  sys::TextReader reader(Text(stat_line, static_cast<size_t>(size)).from(name_end + 1));
  for (unsigned i = 3; i < 53 && !reader.done(); ++i) {
    Text word = reader.until(' ');
    sys::TextReader(word).number(&field[i]);
  }
  long auxv_size = sys::read_all("/proc/self/auxv", auxv, sizeof auxv);
  Text auxv_text(auxv, failed(auxv_size) ? 0 : static_cast<size_t>(auxv_size));
  cairn_image_Memory memory = cairn_image_Memory_init_zero;
  memory.start_code = field[26];
  memory.end_code = field[27];
  memory.start_stack = field[28];
  memory.start_data = field[45];
  memory.end_data = field[46];
  memory.start_brk = field[47];
  memory.brk = static_cast<uint64_t>(call(SYS_brk, nullptr));
  memory.arg_start = field[48];
  memory.arg_end = field[49];
  memory.env_start = field[50];
  memory.env_end = field[51];
  memory.auxv = encode_text(&auxv_text);
  memory.vdso_start = map.vdso_start;
  memory.vdso_size = map.vdso_end - map.vdso_start;
  memory.vdso_checksum = image::Checksum::of(reinterpret_cast<const void*>(map.vdso_start), memory.vdso_size);
  memory.vvar_start = map.vvar_start;
  memory.vvar_size = map.vvar_end - map.vvar_start;
  records->add(cairn_image_RecordType_RECORD_MEMORY, cairn_image_Memory_fields, &memory);
  return true;
}

void write_needed_files(image::RecordWriter* records, const NeededFiles& files) {
  for (uint32_t i = 0; i < files.count(); ++i) {
    Text path(files[i].path), real(files[i].real == nullptr ? "" : files[i].real);
    cairn_image_NeededFile record = cairn_image_NeededFile_init_zero;
    record.path = encode_text(&path);
    record.real = encode_text(&real);
    record.size = files[i].size;
    record.mtime_ns = files[i].mtime_ns;
    record.handling = static_cast<cairn_image_FileHandling>(files[i].how);
    records->add(cairn_image_RecordType_RECORD_NEEDED_FILE, cairn_image_NeededFile_fields, &record);
  }
}

void write_mappings(image::RecordWriter* records, const MemoryMap& map) {
  for (uint32_t i = 0; i < map.file_count; ++i) {
    const MappedFile& file = map.files[i];
    sys::TextBuffer<136> build_id;
    for (uint32_t m = 0; m < map.mapping_count; ++m) {
      const Mapping& mapping = map.mappings[m];
      if (mapping.kind == cairn_image_MappingKind_MAPPING_FILE && mapping.mapped_file == i && mapping.offset == 0) {
        build_id_of(mapping.start, &build_id);
        break;
      }
    }
    Text id = build_id.text();
    cairn_image_MappedFile record = cairn_image_MappedFile_init_zero;
    record.index = i;
    record.path = encode_text(&file.path);
    record.size = file.size;
    record.mtime_ns = file.mtime_ns;
    record.build_id = encode_text(&id);
    records->add(cairn_image_RecordType_RECORD_MAPPED_FILE, cairn_image_MappedFile_fields, &record);
  }
  for (uint32_t i = 0; i < map.mapping_count; ++i) {
    const Mapping& mapping = map.mappings[i];
    cairn_image_Mapping record = cairn_image_Mapping_init_zero;
    record.start = mapping.start;
    record.end = mapping.end;
    record.protection = mapping.protection;
    record.kind = mapping.kind;
    record.mapped_file = mapping.mapped_file;
    record.offset = mapping.offset;
    record.name = encode_text(&mapping.path);
    records->add(cairn_image_RecordType_RECORD_MAPPING, cairn_image_Mapping_fields, &record);
  }
}

void write_threads(image::RecordWriter* records, const ProcessFacts& facts, const Stop& stop,
                   int32_t (*virtual_tid)(int32_t real_tid)) {
  for (uint32_t i = 0; i < stop.thread_count(); ++i) {
    const ThreadState& thread = stop.thread(i);
    if (!thread.stopped && !thread.exited) continue;
    cairn_image_Thread record = cairn_image_Thread_init_zero;
    record.virtual_tid = virtual_tid(thread.real_tid);
    record.exited = thread.exited;
    record.exit_status = thread.exit_status;
    sys::processor::Registers registers = thread.registers;
    sys::processor::make_restartable(&registers, continued_call(thread.real_tid, registers));
    Text registers_text(reinterpret_cast<const char*>(&registers), sizeof registers);
    Text xstate(thread.xstate, thread.xstate_size);
    record.registers = encode_text(&registers_text);
    record.xstate = encode_text(&xstate);
    record.signal_mask = thread.signal_mask;
    record.robust_list = thread.robust_list;
    record.robust_list_size = thread.robust_list_size;
    record.rseq_address = thread.rseq_address;
    record.rseq_size = thread.rseq_size;
    record.rseq_signature = thread.rseq_signature;
    // libc's thread descriptor begins at the thread pointer, which points to itself behind two others.
    uint64_t descriptor = sys::processor::thread_pointer_of(registers);
    uintptr_t self = 0;
    bool told = false;
    if (thread.stopped && descriptor != 0 && peek(descriptor + 2 * sizeof(void*), &self, sizeof self) && self == descriptor) {
      if (facts.tid_offset != 0) record.tid_address = descriptor + facts.tid_offset;
      RecordedAltstack altstack = {};
      if (peek(descriptor + facts.altstack_offset, &altstack, sizeof altstack) && altstack.set != 0) {
        record.altstack_sp = altstack.sp;
        record.altstack_size = altstack.size;
        record.altstack_flags = altstack.flags;
        told = true;
      }
    }
    if (!told && thread.has_alternate) {
      record.altstack_sp = thread.alternate.sp;
      record.altstack_size = thread.alternate.size;
      record.altstack_flags = thread.alternate.flags;
    } else if (!told) {
      record.altstack_flags = 2;  // SS_DISABLE
    }
    Text comm(thread.name);
    record.name = encode_text(&comm);
    records->add(cairn_image_RecordType_RECORD_THREAD, cairn_image_Thread_fields, &record);
  }
}

}  // namespace cairn::checkpoint
