#include "checkpoint/page_writer.h"

#include <errno.h>

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::page_size;
using sys::Status;

constexpr uint64_t block = 1 << 20;         // checked, summed and written while it is in the cache
constexpr uint64_t flush_every = 16 << 20;  // the disk works while we go on

bool is_zero_page(const char* page) {
  const auto* words = reinterpret_cast<const uint64_t*>(page);
  if ((words[0] | words[1] | words[64] | words[511]) != 0) return false;
  uint64_t any = 0;
  for (unsigned i = 0; i < page_size / 8; i += 8) {
    any |= words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] | words[i + 5] | words[i + 6] | words[i + 7];
    if ((i & 63) == 56 && any != 0) return false;
  }
  return any == 0;
}

}  // namespace

// Each run becomes a mapping at restart, and a process may have 65,530 of them: the more there are, the larger the gaps of
// zero pages that are written instead of starting a new run.
uint64_t PageWriter::largest_gap() const {
  if (runs_ < 4096) return 8 * page_size;
  if (runs_ < 8192) return 64 * page_size;
  if (runs_ < 16384) return 512 * page_size;
  return 8192 * page_size;
}

bool PageWriter::write_content(const Mapping& mapping) {
  if (mapping.kind == cairn_image_MappingKind_MAPPING_SHARED_FILE) return true;
  if (mapping.kind == cairn_image_MappingKind_MAPPING_SHARED) return write_shared_copy(mapping);
  if (mapping.kind == cairn_image_MappingKind_MAPPING_COPY) return write_unreadable(mapping);
  if ((mapping.protection & PROT_READ) == 0) {
    // Our copy of the memory may be opened; the application's stays as it is.
    long result = call(SYS_mprotect, mapping.start, mapping.end - mapping.start, PROT_READ);
    if (sys::failed(result)) return write_unreadable(mapping);
  }
  if (mapping.whole) return write_candidates(mapping, {mapping.start, mapping.end});
  uint64_t position = mapping.start;
  PageRange range;
  Status status = 0;
  bool own_only = mapping.kind == cairn_image_MappingKind_MAPPING_FILE;
  while (scan_.next(&position, mapping.end, own_only, &range, &status)) {
    if (!write_candidates(mapping, range)) return false;
  }
  if (status != 0) error_->set(status, "/proc/self/pagemap").add("cannot read which pages are in use");
  return status == 0;
}

bool PageWriter::write_candidates(const Mapping& mapping, PageRange range) {
  if (mapping.kind == cairn_image_MappingKind_MAPPING_FILE) {
    // Zero pages count here: the file has something else there.
    return write_run(reinterpret_cast<const char*>(range.start), range.end - range.start, range.start);
  }
  return write_nonzero(reinterpret_cast<const char*>(range.start), range.end - range.start, range.start);
}

bool PageWriter::write_shared_copy(const Mapping& mapping) {
  return write_nonzero(mapping.copy, mapping.end - mapping.start, mapping.start);
}

// Content that a plain read could fault on (a file's end inside the mapping, no permission): through /proc/self/mem.
bool PageWriter::write_unreadable(const Mapping& mapping) {
  alignas(page_size) static char page[page_size];
  sys::UniqueFd memory = sys::open("/proc/self/mem", O_RDONLY);
  if (!memory.ok()) {
    error_->set(memory.status(), "/proc/self/mem").add("cannot read the mapping at ").hex(mapping.start);
    return false;
  }
  for (uint64_t at = mapping.start; at < mapping.end; at += page_size) {
    Status status = sys::read_at(memory.get(), page, page_size, at);
    if (status == -EIO || status == -ENODATA || status == -EFAULT) continue;  // beyond the end of its file
    if (status != 0) {
      error_->set(status, "/proc/self/mem").add("cannot read the mapping at ").hex(mapping.start);
      return false;
    }
    if (!is_zero_page(page) && !write_run(page, page_size, at)) return false;
  }
  return true;
}

bool PageWriter::write_nonzero(const char* from, uint64_t size, uint64_t address) {
  uint64_t run_start = 0, run_end = 0;  // offsets; empty while equal
  for (uint64_t at = 0; at < size; at += page_size) {
    if (is_zero_page(from + at)) continue;
    bool extends = run_end > run_start && at - run_end <= largest_gap();
    // A run is written once it is a block long: its bytes are still in the cache.
    if (extends && at + page_size - run_start <= block) {
      run_end = at + page_size;
      continue;
    }
    if (run_end > run_start && !write_run(from + run_start, run_end - run_start, address + run_start)) return false;
    run_start = at;
    run_end = at + page_size;
  }
  return run_end == run_start || write_run(from + run_start, run_end - run_start, address + run_start);
}

void PageWriter::close_run() {
  if (run_.bytes > 0) records_->add(cairn_image_RecordType_RECORD_RUN, cairn_image_Run_fields, &run_);
  run_ = {};
}

bool PageWriter::write_run(const char* from, uint64_t size, uint64_t address) {
  if (run_.bytes > 0 && run_.address + run_.bytes == address) {
    run_.bytes += size;
  } else {
    close_run();
    run_ = {address, size, offset_};
    ++runs_;
  }
  for (uint64_t done = 0; done < size;) {
    uint64_t count = size - done < block ? size - done : block;
    checksum_.add(from + done, count);
    Status status = sys::write_all(fd_, from + done, count);
    if (status != 0) {
      error_->set(status, "pages").add(status == -ENOSPC || status == -EDQUOT
          ? "no room on the disk for the memory image; free some, or choose another store"
          : status == -EFBIG ? "the memory image is larger than the program's limit on file sizes allows (ulimit -f)"
                             : "cannot write the memory image");
      return false;
    }
    done += count;
  }
  offset_ += size;
  if (offset_ - flushed_ >= flush_every) {
    sys::call_unchecked(SYS_sync_file_range, fd_, flushed_, offset_ - flushed_, 2 /* SYNC_FILE_RANGE_WRITE */);
    flushed_ = offset_;
  }
  return true;
}

}  // namespace cairn::checkpoint
