#include "checkpoint/fork_advice.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>

#include "checkpoint/memory_flags.h"
#include "sys/file.h"

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Status;
using sys::Text;

// In the image: a restarted process has the advice again.
bool given = false;
bool unknown = false;  // what was advised before the agent came, until a look has found nothing

struct Range {
  uint64_t start;
  uint64_t end;
  int advice;  // to give again
};
// From lift to put back.
Range* ranges = nullptr;
uint32_t count = 0, capacity = 0;
size_t bytes = 0;

int (*next_madvise)(void*, size_t, int) = nullptr;

bool lift(uint64_t start, uint64_t end, int back, int advice) {
  if (count == capacity || failed(call(SYS_madvise, start, end - start, advice))) return false;
  ranges[count++] = {start, end, back};
  return true;
}

}  // namespace

void prepare_fork_advice() { next_madvise = reinterpret_cast<int (*)(void*, size_t, int)>(dlsym(RTLD_NEXT, "madvise")); }

void look_for_fork_advice() { unknown = true; }

bool lift_fork_advice(const MemoryMap& map, sys::Error* error) {
  count = 0;
  if (!__atomic_load_n(&given, __ATOMIC_ACQUIRE) && !unknown) return true;
  constexpr size_t text_of_one = 1024;
  size_t room = (size_t{map.mapping_count} + 64) * text_of_one;
  capacity = 2 * map.mapping_count;
  bytes = sys::page_up(capacity * sizeof(Range));
  int64_t list = call(SYS_mmap, nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int64_t memory = failed(list) ? list : call(SYS_mmap, nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ranges = failed(list) ? nullptr : reinterpret_cast<Range*>(list);
  char* text = reinterpret_cast<char*>(memory);
  long size = failed(memory) ? memory : sys::read_all("/proc/thread-self/smaps", text, room);
  uint64_t stays = 0;
  uint32_t index = 0;
  if (!failed(size)) {
    for_each_smaps_entry(Text(text, static_cast<size_t>(size)), [&](const SmapsEntry& entry) {
      const sys::MapLine& line = entry.line;
      while (index < map.mapping_count && map.mappings[index].end <= line.start) ++index;
      if (index == map.mapping_count) return false;
      bool kept = has_smaps_flag(entry.flags, "dc"), wiped = has_smaps_flag(entry.flags, "wf");
      // What is not in the list is Cairn's own; of a shared file only the mapping has to be known.
      if ((!kept && !wiped) || map.mappings[index].start >= line.end) return true;
      if (map.mappings[index].kind == cairn_image_MappingKind_MAPPING_VDSO) return true;
      if ((kept && !lift(line.start, line.end, MADV_DONTFORK, MADV_DOFORK)) || (wiped && !lift(line.start, line.end, MADV_WIPEONFORK, MADV_KEEPONFORK))) {
        stays = line.start;
        return false;
      }
      // Beside those two it has no flag that the writer would not see.
      note_advice(line.start, line.end, kept ? Text(" dc ") : Text(" wf "));
      if (kept && wiped) note_advice(line.start, line.end, " wf ");
      return true;
    });
  }
  if (!failed(memory)) call_unchecked(SYS_munmap, memory, room);
  if (failed(size)) error->set(static_cast<Status>(size), "/proc/thread-self/smaps").add("cannot read which memory is kept from forked children");
  else if (stays != 0) {
    error->set(-ENOTSUP, "madvise").add("the memory at ").hex(stays)
        .add(" is kept from forked children, and so from what writes the snapshot; the computation runs on");
  }
  if (failed(size) || stays != 0) return false;
  if (count > 0) __atomic_store_n(&given, true, __ATOMIC_RELEASE);
  unknown = false;
  return true;
}

void put_fork_advice_back() {
  for (uint32_t i = 0; i < count; ++i) call_unchecked(SYS_madvise, ranges[i].start, ranges[i].end - ranges[i].start, ranges[i].advice);
  count = 0;
  if (ranges != nullptr) call_unchecked(SYS_munmap, ranges, bytes);
  ranges = nullptr;
}

}  // namespace cairn::checkpoint

extern "C" __attribute__((visibility("default"))) int cairn_madvise(void* address, size_t length, int advice) __asm__("madvise");
extern "C" int cairn_madvise(void* address, size_t length, int advice) {
  using namespace cairn::checkpoint;
  if (advice == MADV_DONTFORK || advice == MADV_WIPEONFORK) __atomic_store_n(&given, true, __ATOMIC_RELEASE);
  if (next_madvise == nullptr) prepare_fork_advice();
  return next_madvise(address, length, advice);
}
