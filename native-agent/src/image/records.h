// The .meta file: a stream of records, see image.proto. Written by the agent's writer, read by the restorer.
// Context: any; no allocation beyond what the caller gives.
#pragma once
#include "image.pb.h"
#include "image/checksum.h"
#include "wire/codec.h"

namespace cairn::image {

inline constexpr char magic[8] = {'C', 'A', 'I', 'R', 'N', 'I', 'M', 'G'};
inline constexpr uint32_t format_version = 1;
inline constexpr size_t max_record = 64 * 1024;

struct FilePrologue {
  char magic[8];
  uint32_t format;
  uint32_t reserved;
};

struct RecordPrologue {
  uint32_t type;
  uint32_t size;
};

/// Builds the file in memory.
class RecordWriter {
 public:
  RecordWriter(char* buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) {
    FilePrologue prologue = {};
    memcpy(prologue.magic, magic, sizeof magic);
    prologue.format = format_version;
    put(&prologue, sizeof prologue);
  }
  void add(uint32_t type, const pb_msgdesc_t* description, const void* message) {
    if (size_ + sizeof(RecordPrologue) > capacity_) {
      full_ = true;
      return;
    }
    size_t room = capacity_ - size_ - sizeof(RecordPrologue);
    long size = wire::encode(buffer_ + size_ + sizeof(RecordPrologue), room, description, message);
    if (size < 0) {
      full_ = true;
      return;
    }
    RecordPrologue prologue = {type, static_cast<uint32_t>(size)};
    memcpy(buffer_ + size_, &prologue, sizeof prologue);
    size_ += sizeof prologue + static_cast<size_t>(size);
  }
  /// The records of another, unfinished writer.
  void append(const RecordWriter& other) {
    size_t count = other.size_ - sizeof(FilePrologue);
    if (other.full_ || count > capacity_ - size_) full_ = true;
    else put(other.buffer_ + sizeof(FilePrologue), count);
  }
  /// Closes the file. False: the buffer was too small.
  bool finish() {
    cairn_image_End end = {};
    end.checksum = Checksum::of(buffer_, size_);
    add(cairn_image_RecordType_RECORD_END, cairn_image_End_fields, &end);
    return !full_;
  }
  [[nodiscard]] const char* data() const { return buffer_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  void put(const void* data, size_t size) {
    memcpy(buffer_ + size_, data, size);
    size_ += size;
  }
  char* buffer_;
  size_t capacity_;
  size_t size_ = 0;
  bool full_ = false;
};

enum class ReadResult { ok, not_an_image, other_format, torn, damaged };

/// Checks prologue, record lengths and checksum of a whole file.
inline ReadResult check_records(sys::Text file) {
  if (file.size < sizeof(FilePrologue)) return ReadResult::not_an_image;
  FilePrologue prologue;
  memcpy(&prologue, file.data, sizeof prologue);
  if (memcmp(prologue.magic, magic, sizeof magic) != 0) return ReadResult::not_an_image;
  if (prologue.format != format_version) return ReadResult::other_format;
  size_t at = sizeof prologue;
  while (at + sizeof(RecordPrologue) <= file.size) {
    RecordPrologue record;
    memcpy(&record, file.data + at, sizeof record);
    size_t body = at + sizeof record;
    if (record.size > file.size - body) return ReadResult::torn;
    if (record.type == cairn_image_RecordType_RECORD_END) {
      cairn_image_End end = {};
      if (!wire::decode(sys::Text(file.data + body, record.size), cairn_image_End_fields, &end)) return ReadResult::damaged;
      if (body + record.size != file.size) return ReadResult::damaged;
      return end.checksum == Checksum::of(file.data, at) ? ReadResult::ok : ReadResult::damaged;
    }
    at = body + record.size;
  }
  return ReadResult::torn;
}

/// Calls visit(type, body) for each record of a checked file but the last; stops early when it returns false.
template <typename Visit>
bool for_each_record(sys::Text file, Visit visit) {
  size_t at = sizeof(FilePrologue);
  for (;;) {
    RecordPrologue record;
    memcpy(&record, file.data + at, sizeof record);
    if (record.type == cairn_image_RecordType_RECORD_END) return true;
    at += sizeof record;
    if (!visit(record.type, sys::Text(file.data + at, record.size))) return false;
    at += record.size;
  }
}

}  // namespace cairn::image
