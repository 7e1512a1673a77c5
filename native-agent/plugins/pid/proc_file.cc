// Owns: the copies that stand for files of /proc whose text holds ids: what an application that opens one after a restart reads.
// A copy is a file without a name, of the moment of the opening: who keeps it open and reads it again sees no news.
// [any] See proc_text.h; the plugin path, which knows what is opened, asks for it by cairn.ids/1.
#include <errno.h>
#include <sys/mman.h>

#include "common/nameless.h"
#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/proc_text.h"

namespace cairn::pid {

namespace {

constexpr size_t text_capacity = 256 * 1024;
constexpr size_t copy_capacity = 2 * text_capacity;

long copy_with(ProcText kind, const char* path, char* text, char* copy) {
  long size = plugin::read_file(host, path, text, text_capacity);
  if (size < 0) return size;
  // Of descriptors only those of processes: the others' own file shows what becomes of them.
  if (kind == ProcText::descriptor && plugin::line_value(text, "Pid:") == nullptr) return -ENOENT;
  size = translate_proc_text(kind, text, static_cast<size_t>(size), copy, copy_capacity);
  if (size < 0) return size;
  return plugin::nameless_copy(host, copy, static_cast<size_t>(size));
}

}  // namespace

int32_t copy_of_proc_file(const char* path) {
  if (!active()) return -ENOENT;
  ProcText kind = proc_text_of(path);
  if (kind == ProcText::none) return -ENOENT;
  long memory = raw(SYS_mmap, 0, text_capacity + copy_capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (memory < 0 && memory > -4096) return static_cast<int32_t>(memory);
  char* text = reinterpret_cast<char*>(memory);
  long result = copy_with(kind, path, text, text + text_capacity);
  raw(SYS_munmap, memory, text_capacity + copy_capacity);
  return static_cast<int32_t>(result);
}

}  // namespace cairn::pid
