#include "checkpoint/guard_regions.h"

#include <cairn/plugin.h>
#include <errno.h>
#include <sys/mman.h>

#include "checkpoint/page_scan.h"
#include "events/host.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::page_size;
using sys::Status;

// Pages of the notes that are never touched cost nothing.
constexpr uint32_t capacity = 1 << 18;

// In the image.
PageRange* notes = nullptr;
uint32_t count = 0;

bool add(uint64_t start, uint64_t end) {
  if (count > 0 && notes[count - 1].end == start) {
    notes[count - 1].end = end;
    return true;
  }
  if (count == capacity) return false;
  notes[count++] = {start, end};
  return true;
}

/// Whether the kernel has such a thing: else it costs nothing.
bool kernel_has_them() {
  int64_t page = call(SYS_mmap, nullptr, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (failed(page)) return false;
  bool has = !failed(call(SYS_madvise, page, page_size, MADV_GUARD_INSTALL));
  call_unchecked(SYS_munmap, page, page_size);
  return has;
}

/// What was absent and is nothing at all now was guard region. What was on its way to another place in memory is there again.
bool open_range(PageScan* scan, PageRange absent, Status* status) {
  if (failed(call(SYS_madvise, absent.start, absent.end - absent.start, MADV_GUARD_REMOVE))) return true;
  uint64_t position = absent.start, guard = absent.start;
  PageRange page;
  while (scan->next(&position, absent.end, false, &page, status)) {
    if (page.start > guard && !add(guard, page.start)) return false;
    guard = page.end;
  }
  return guard == absent.end || add(guard, absent.end);
}

}  // namespace

bool begin_guard_regions() {
  count = 0;
  if (notes == nullptr && kernel_has_them()) {
    notes = static_cast<PageRange*>(events::allocate(uint64_t{capacity} * sizeof(PageRange)));
    return notes != nullptr;
  }
  return true;
}

bool note_guard_regions(const MemoryMap& map, sys::Error* error) {
  if (notes == nullptr || !kernel_has_them()) return true;
  PageScan scan;
  Status status = scan.open();
  for (uint32_t i = 0; status == 0 && i < map.mapping_count; ++i) {
    const Mapping& mapping = map.mappings[i];
    if (mapping.kind == cairn_image_MappingKind_MAPPING_VDSO) continue;
    uint64_t position = mapping.start;
    PageRange absent;
    while (scan.next_absent(&position, mapping.end, &absent, &status)) {
      if (open_range(&scan, absent, &status)) continue;
      error->set(-E2BIG, "guard regions").add("the program has more than ").number(capacity).add(" guard regions (MADV_GUARD_INSTALL)");
      return false;
    }
  }
  if (status != 0) error->set(status, "/proc/self/pagemap").add("cannot read where guard regions are");
  return status == 0;
}

void restore_guard_regions(void (*log)(uint32_t level, const char* text)) {
  long error = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t start = notes[i].start, size = notes[i].end - notes[i].start;
    long result = call(SYS_madvise, start, size, MADV_GUARD_INSTALL);
    if (!failed(result)) continue;
    // A kernel without them, or one that has them in anonymous memory only and this is mapped from the image: closed all the same.
    error = result;
    result = call(SYS_mprotect, start, size, PROT_NONE);
    if (failed(result)) error = result;
  }
  if (error == 0) return;
  sys::TextBuffer<256> text;
  text.add("The kernel here does not take all guard regions of the program (madvise, error ").number(-error)
      .add("): they are closed by their protection instead, and MADV_GUARD_REMOVE does not open them.");
  log(CAIRN_LOG_WARNING, text.c_str());
}

}  // namespace cairn::checkpoint
