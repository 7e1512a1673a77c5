#include "pid/ending.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "common/text.h"
#include "pid/host.h"

namespace cairn::pid {

namespace {

constexpr int64_t exiting = 4;                    // PF_EXITING of the kernel
constexpr int64_t killed = 1 << (SIGKILL - 1);

/// What stat of /proc says of a process or thread: the fields 9, 20 and 31 of proc(5).
struct Stat {
  bool zombie = false;
  int64_t flags = 0, threads = 0, pending = 0;
};

bool read_stat(const char* path, Stat* stat) {
  char text[1024];
  if (plugin::read_file(host, path, text, sizeof text) <= 0) return false;
  const char* at = text;
  for (const char* each = text; *each != 0; ++each) {
    if (*each == ')') at = each + 1;  // the name may hold any character
  }
  for (int field = 3; *at == ' '; ++field) {
    ++at;
    if (field == 3) stat->zombie = *at == 'Z';
    int64_t* wanted = field == 9 ? &stat->flags : field == 20 ? &stat->threads : field == 31 ? &stat->pending : nullptr;
    if (wanted != nullptr) (void)plugin::read_number(&at, 10, wanted);
    while (*at != ' ' && *at != 0) ++at;
  }
  return true;
}

/// Unclear: the first thread has ended, and the others go on for all that can be seen; for a moment that is so of one that takes its
/// SIGKILL.
enum class End { not_yet, unclear, under_way, over };

/// Under way: the first thread has ended, and another is about to, since the process ends as a whole.
End end_of(int32_t child) {
  plugin::Text<48> path, first;
  path.add("/proc/").add(static_cast<int64_t>(child)).add("/stat");
  Stat stat;
  if (!read_stat(path.text(), &stat) || !stat.zombie) return End::not_yet;
  if (stat.threads < 2) return End::over;
  plugin::Text<48> folder;
  folder.add("/proc/").add(static_cast<int64_t>(child)).add("/task/");
  first.add(static_cast<int64_t>(child));
  bool ending = true;  // also where the other is not listed any more
  plugin::for_each_entry(host, folder.text(), [&](long, const plugin::KernelDirent& entry) {
    if (entry.name[0] == '.' || plugin::same(entry.name, first.text())) return false;
    plugin::Text<96> other;
    other.add(folder.text()).add(entry.name).add("/stat");
    ending = !read_stat(other.text(), &stat) || (stat.flags & exiting) != 0 || (stat.pending & killed) != 0;
    return true;
  });
  return ending ? End::under_way : End::unclear;
}

bool await_end(int32_t child) {
  // Without a file of /proc, which would take a number among the program's descriptors: the memory of one whose first thread has ended
  // is not to be had.
  char byte = 0;
  struct iovec here = {&byte, 1}, there = {&byte, 1};
  if (raw(SYS_process_vm_readv, child, pointer(&here), 1, pointer(&there), 1) != -ESRCH) return false;
  End end = end_of(child);
  // Who asks without wanting to wait asks again.
  // On a busy machine it may be some time before the other thread gets a processor to end on: half a second at most.
  for (int looks = 0; (end == End::under_way && looks < 700) || (end == End::unclear && looks < 4); ++looks) {
    struct timespec pause = {0, looks < 200 ? 100'000 : 1'000'000};
    raw(SYS_nanosleep, pointer(&pause));
    end = end_of(child);
  }
  return end == End::over;
}

}  // namespace

bool await_ending(int32_t real_child, bool any) {
  if (!any) return real_child > 0 && await_end(real_child);
  char list[4096];
  if (plugin::read_file(host, "/proc/thread-self/children", list, sizeof list) <= 0) return false;
  bool waited = false;
  int64_t child = 0;
  for (const char* at = list; plugin::read_number(&at, 10, &child); ++at) {
    waited |= await_end(static_cast<int32_t>(child));
    if (*at == 0) break;
  }
  return waited;
}

}  // namespace cairn::pid
