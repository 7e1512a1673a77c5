// Owns: the copies that stand for files of /proc whose text holds ids: what an application that opens one after a restart reads.
// A copy is a file without a name, of the moment of the opening: who keeps it open and reads it again sees no news.
// [any] See proc_text.h; the plugin path, which knows what is opened, asks for it by cairn.ids/1.
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/proc_text.h"

namespace cairn::pid {

namespace {

constexpr long high_number = 256;
constexpr size_t text_capacity = 256 * 1024;
constexpr size_t copy_capacity = 2 * text_capacity;

/// First where a checkpoint can take the content with it: a memory file is nothing that a restart could bring back yet.
long make_file() {
  constexpr const char* folders[] = {"/dev/shm", "/tmp"};
  for (const char* folder : folders) {
    long fd = raw(SYS_openat, AT_FDCWD, pointer(folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
    if (fd >= 0) return fd;
  }
  return raw(SYS_memfd_create, pointer("proc"), MFD_CLOEXEC);
}

long write_whole(long fd, const char* text, size_t size) {
  while (size > 0) {
    long count = raw(SYS_write, fd, pointer(text), static_cast<long>(size));
    if (count == -EINTR) continue;
    if (count < 0) return count;
    text += count;
    size -= static_cast<size_t>(count);
  }
  return 0;
}

long copy_with(ProcText kind, const char* path, char* text, char* copy) {
  long size = plugin::read_file(host, path, text, text_capacity);
  if (size < 0) return size;
  // Of descriptors only those of processes: the others' own file shows what becomes of them.
  if (kind == ProcText::descriptor && plugin::line_value(text, "Pid:") == nullptr) return -ENOENT;
  size = translate_proc_text(kind, text, static_cast<size_t>(size), copy, copy_capacity);
  if (size < 0) return size;
  long fd = make_file();
  if (fd < 0) return fd;
  long error = write_whole(fd, copy, static_cast<size_t>(size));
  // The lowest free number is for the application's own call.
  long high = error == 0 ? raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, high_number) : -1;
  if (error == 0 && high < 0) return fd;
  raw(SYS_close, fd);
  return error == 0 ? high : error;
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
