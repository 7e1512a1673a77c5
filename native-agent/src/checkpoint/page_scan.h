// Which pages of a mapping have content of their own: pages never touched and clean pages of files are left out.
// Uses PAGEMAP_SCAN (Linux 6.7) where there, else /proc/self/pagemap.
// Context: the process whose pages are asked for (the writer).
#pragma once
#include "sys/file.h"

namespace cairn::checkpoint {

struct PageRange {
  uint64_t start;
  uint64_t end;
};

class PageScan {
 public:
  sys::Status open();
  /// The next range with content at or after *position and before end; false: none (or *status is set to -errno).
  /// own_only: leave pages out that are (clean) pages of the mapped file.
  bool next(uint64_t* position, uint64_t end, bool own_only, PageRange* range, sys::Status* status);
  /// As next: of what has no page in memory although something is noted there: swapped pages, and guard regions. Only by PAGEMAP_SCAN:
  /// without it there is nothing.
  bool next_absent(uint64_t* position, uint64_t end, PageRange* range, sys::Status* status);

 private:
  /// The next range of the categories `any`, of which none is in `none`.
  bool next_by_ioctl(uint64_t* position, uint64_t end, uint64_t any, uint64_t none, PageRange* range, sys::Status* status);
  bool next_by_read(uint64_t* position, uint64_t end, bool own_only, PageRange* range, sys::Status* status);

  static constexpr size_t window = 4096;  // entries read at a time
  sys::UniqueFd fd_;
  bool ioctl_works_ = true;
  uint64_t cached_start_ = 0;  // first page number in entries_
  uint64_t cached_count_ = 0;
  uint64_t entries_[window];
};

}  // namespace cairn::checkpoint
