#include "checkpoint/page_scan.h"

#include <errno.h>
#include <linux/ioctl.h>

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::page_size;

// From Linux 6.7's include/uapi/linux/fs.h, which the headers of the build host may not have yet.
struct PageRegion {
  uint64_t start;
  uint64_t end;
  uint64_t categories;
};
struct ScanArgument {
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walk_end;
  uint64_t vector;
  uint64_t vector_length;
  uint64_t max_pages;
  uint64_t category_inverted;
  uint64_t category_mask;
  uint64_t category_anyof_mask;
  uint64_t return_mask;
};
enum : uint64_t { page_is_file = 1 << 2, page_is_present = 1 << 3, page_is_swapped = 1 << 4, page_is_zero = 1 << 5 };
const unsigned long pagemap_scan = _IOWR('f', 16, ScanArgument);

// Entries of /proc/PID/pagemap.
enum : uint64_t { entry_present = 1ull << 63, entry_swapped = 1ull << 62, entry_file = 1ull << 61 };

}  // namespace

sys::Status PageScan::open() {
  fd_ = sys::open("/proc/self/pagemap", O_RDONLY);
  return fd_.status();
}

bool PageScan::next(uint64_t* position, uint64_t end, bool own_only, PageRange* range, sys::Status* status) {
  *status = 0;
  if (*position >= end) return false;
  if (ioctl_works_) {
    uint64_t none = page_is_zero | (own_only ? uint64_t{page_is_file} : 0);
    bool found = next_by_ioctl(position, end, page_is_present | page_is_swapped, none, range, status);
    if (ioctl_works_) return found;
  }
  return next_by_read(position, end, own_only, range, status);
}

bool PageScan::next_absent(uint64_t* position, uint64_t end, PageRange* range, sys::Status* status) {
  *status = 0;
  return *position < end && ioctl_works_ && next_by_ioctl(position, end, page_is_swapped, page_is_present, range, status);
}

bool PageScan::next_by_ioctl(uint64_t* position, uint64_t end, uint64_t any, uint64_t none, PageRange* range, sys::Status* status) {
  PageRegion region = {};
  ScanArgument argument = {};
  argument.size = sizeof argument;
  argument.start = *position;
  argument.end = end;
  argument.vector = reinterpret_cast<uintptr_t>(&region);
  argument.vector_length = 1;
  // Categories that must be absent are inverted and then demanded.
  argument.category_mask = argument.category_inverted = none;
  argument.category_anyof_mask = argument.return_mask = any;
  long result = call(SYS_ioctl, fd_.get(), pagemap_scan, &argument);
  if (result == -ENOTTY || result == -EINVAL) {
    ioctl_works_ = false;
    return false;
  }
  if (sys::failed(result)) {
    *status = static_cast<sys::Status>(result);
    return false;
  }
  if (result == 0) return false;
  range->start = region.start;
  range->end = region.end;
  *position = region.end;
  return true;
}

bool PageScan::next_by_read(uint64_t* position, uint64_t end, bool own_only, PageRange* range, sys::Status* status) {
  bool open_range = false;
  for (uint64_t page = *position / page_size; page < end / page_size; ++page) {
    if (page < cached_start_ || page >= cached_start_ + cached_count_) {
      uint64_t count = end / page_size - page;
      if (count > window) count = window;
      cached_start_ = page;
      cached_count_ = count;
      *status = sys::read_at(fd_.get(), entries_, count * sizeof entries_[0], page * sizeof entries_[0]);
      if (*status != 0) return false;
    }
    uint64_t entry = entries_[page - cached_start_];
    bool wanted = (entry & (entry_present | entry_swapped)) != 0 && !(own_only && (entry & entry_file) != 0);
    if (wanted && !open_range) {
      open_range = true;
      range->start = page * page_size;
    } else if (!wanted && open_range) {
      range->end = *position = page * page_size;
      return true;
    }
  }
  *position = end;
  range->end = end;
  return open_range;
}

}  // namespace cairn::checkpoint
