#include "restore/image_file.h"

#include "restore/report.h"
#include "sys/syscall.h"

namespace cairn::restore {
namespace {

using wire::decode_text;

void require(bool ok) {
  if (!ok) give_up("the image's description is damaged");
}

void check(Text file) {
  switch (image::check_records(file)) {
    case image::ReadResult::ok: return;
    case image::ReadResult::not_an_image: give_up("this is not the image of a process");
    case image::ReadResult::other_format:
      give_up("the image was written in another format version; restart it with the version of Cairn that wrote it");
    case image::ReadResult::torn: give_up("the image's description is cut off");
    case image::ReadResult::damaged: give_up("the image's description is damaged (its checksum differs)");
  }
}

struct Counts {
  uint32_t files = 0, mappings = 0, runs = 0, threads = 0;
};

Counts count(Text file) {
  Counts counts;
  image::for_each_record(file, [&](uint32_t type, Text) {
    counts.files += type == cairn_image_RecordType_RECORD_MAPPED_FILE;
    counts.mappings += type == cairn_image_RecordType_RECORD_MAPPING;
    counts.runs += type == cairn_image_RecordType_RECORD_RUN;
    counts.threads += type == cairn_image_RecordType_RECORD_THREAD;
    return true;
  });
  return counts;
}

void add_mapping(Image* image, Text body) {
  cairn_image_Mapping record = cairn_image_Mapping_init_zero;
  Text name;
  record.name = decode_text(&name);
  require(wire::decode(body, cairn_image_Mapping_fields, &record));
  require(record.start < record.end && record.start % sys::page_size == 0 && record.end % sys::page_size == 0);
  // In ascending order, as the kernel listed them: the rest of the restorer counts on it.
  require(image->mapping_count == 0 || image->mappings[image->mapping_count - 1].end <= record.start);
  image->mappings[image->mapping_count++] = {record.start, record.end, record.offset, record.protection, record.kind,
                                             record.mapped_file, name};
}

void add_run(Image* image, Text body) {
  cairn_image_Run record = cairn_image_Run_init_zero;
  require(wire::decode(body, cairn_image_Run_fields, &record));
  require(record.bytes > 0 && record.address % sys::page_size == 0 && record.bytes % sys::page_size == 0);
  require(record.offset % sys::page_size == 0 && record.offset + record.bytes <= image->header.pages_bytes);
  require(image->run_count == 0 || image->runs[image->run_count - 1].address + image->runs[image->run_count - 1].bytes <= record.address);
  image->runs[image->run_count++] = {record.address, record.bytes, record.offset};
}

void add_thread(Image* image, Text body) {
  Thread* thread = &image->threads[image->thread_count++];
  *thread = Thread();
  thread->record.registers = decode_text(&thread->registers);
  thread->record.xstate = decode_text(&thread->xstate);
  thread->record.name = decode_text(&thread->name);
  require(wire::decode(body, cairn_image_Thread_fields, &thread->record));
  require(thread->registers.size == sizeof(sys::processor::Registers));
}

}  // namespace

uint64_t decoded_size(uint64_t file_size) {
  // The smallest records are larger than a tenth of what they become.
  return file_size * 16 + (1 << 20);
}

void decode_image(Text file, sys::Arena* arena, Image* image) {
  check(file);
  Counts counts = count(file);
  *image = Image();
  image->files = arena->array<MappedFile>(counts.files + 1);
  image->mappings = arena->array<Mapping>(counts.mappings + 1);
  image->runs = arena->array<Run>(counts.runs + 1);
  image->threads = arena->array<Thread>(counts.threads + 1);
  image->lazy = arena->array<image::LazyRange>(counts.runs + 1);
  if (image->lazy == nullptr) give_up("no room for the image's description");
  bool header = false, memory = false;
  Text architecture;
  image::for_each_record(file, [&](uint32_t type, Text body) {
    switch (type) {
      case cairn_image_RecordType_RECORD_HEADER:
        image->header.architecture = decode_text(&architecture);
        header = wire::decode(body, cairn_image_Header_fields, &image->header);
        require(header);
        break;
      case cairn_image_RecordType_RECORD_MEMORY:
        image->memory.auxv = decode_text(&image->auxv);
        memory = wire::decode(body, cairn_image_Memory_fields, &image->memory);
        require(memory);
        break;
      case cairn_image_RecordType_RECORD_MAPPED_FILE: {
        cairn_image_MappedFile record = cairn_image_MappedFile_init_zero;
        Text path;
        record.path = decode_text(&path);
        require(wire::decode(body, cairn_image_MappedFile_fields, &record) && record.index == image->file_count);
        image->files[image->file_count++].path = path;
        break;
      }
      case cairn_image_RecordType_RECORD_MAPPING: add_mapping(image, body); break;
      case cairn_image_RecordType_RECORD_RUN: add_run(image, body); break;
      case cairn_image_RecordType_RECORD_THREAD: add_thread(image, body); break;
      default: break;  // of a newer minor version
    }
    return true;
  });
  require(header && memory && image->mapping_count > 0 && image->thread_count > 0);
  for (uint32_t i = 0; i < image->mapping_count; ++i) {
    require(image->mappings[i].kind != cairn_image_MappingKind_MAPPING_FILE || image->mappings[i].file < image->file_count);
  }
  if (!(architecture == Text(sys::processor::architecture))) {
    sys::TextBuffer<256> text;
    text.add("the image is of a process on ").add(architecture).add(", this restorer is for ").add(sys::processor::architecture);
    give_up(text.text());
  }
  if (image->header.handoff_version != image::handoff_version) {
    give_up("the image was written by an agent of another version; restart it with the version of Cairn that wrote it");
  }
}

}  // namespace cairn::restore
