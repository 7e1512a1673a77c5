// Writes the content of mappings to the .pages file: runs of pages that are not zero, in order of address.
// Context: the writer (a forked copy of the process), alone in its memory.
#pragma once
#include "checkpoint/memory_map.h"
#include "checkpoint/page_scan.h"
#include "image/records.h"

namespace cairn::checkpoint {

class PageWriter {
 public:
  PageWriter(int fd, image::RecordWriter* records, sys::Error* error) : fd_(fd), records_(records), error_(error) {}

  bool open() {
    sys::Status status = scan_.open();
    if (status != 0) error_->set(status, "/proc/self/pagemap").add("cannot read which pages are in use");
    return status == 0;
  }
  /// Writes one mapping's content and its Run records.
  bool write(const Mapping& mapping) {
    bool ok = write_content(mapping);
    close_run();
    return ok;
  }
  [[nodiscard]] uint64_t bytes() const { return offset_; }
  [[nodiscard]] uint64_t checksum() const { return checksum_.value(); }

 private:
  bool write_content(const Mapping& mapping);
  bool write_candidates(const Mapping& mapping, PageRange range);
  bool write_unreadable(const Mapping& mapping);
  bool write_shared_copy(const Mapping& mapping);
  /// Splits [from, from+size) into runs without zero pages; address: where it belongs in the application.
  bool write_nonzero(const char* from, uint64_t size, uint64_t address);
  bool write_run(const char* from, uint64_t size, uint64_t address);
  void close_run();
  [[nodiscard]] uint64_t largest_gap() const;

  int fd_;
  image::RecordWriter* records_;
  sys::Error* error_;
  PageScan scan_;
  image::Checksum checksum_;
  uint64_t offset_ = 0;
  uint64_t flushed_ = 0;
  uint64_t runs_ = 0;
  cairn_image_Run run_ = {};  // the last one, while it may still grow
};

}  // namespace cairn::checkpoint
