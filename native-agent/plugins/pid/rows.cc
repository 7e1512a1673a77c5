// Owns: the rows of the tables "pid" and "thread"; see rows.h. The threads are those that the kernel shows now.
#include "pid/rows.h"

#include <fcntl.h>

#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

namespace {

struct KernelEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

/// Calls `visit(virtual, real)` for each thread but the caller, which is Cairn's own.
template <typename Visit>
void for_each_thread(Visit visit) {
  long fd = raw(SYS_openat, AT_FDCWD, pointer("/proc/self/task"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  alignas(8) char buffer[2048];
  int32_t self = static_cast<int32_t>(raw(SYS_gettid));
  for (;;) {
    long size = raw(SYS_getdents64, fd, pointer(buffer), sizeof buffer);
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      const KernelEntry* entry = reinterpret_cast<const KernelEntry*>(buffer + at);
      at += entry->length;
      const char* text = entry->name;
      int64_t number;
      if (!plugin::read_number(&text, 10, &number) || number == self) continue;
      visit(to_virtual(Space::id, static_cast<int32_t>(number)), static_cast<int32_t>(number));
    }
  }
  raw(SYS_close, fd);
}

struct ThreadText {
  char name[32];
  char state;
};

/// "TID (NAME) S …"; a name may hold any character, so its end is the last ')'.
ThreadText thread_text(int32_t real) {
  ThreadText result = {};
  plugin::Text<64> path;
  path.add("/proc/self/task/").add(real).add("/stat");
  char line[512];
  if (plugin::read_file(host, path.text(), line, sizeof line) <= 0) return result;
  const char* open = nullptr;
  const char* close = nullptr;
  for (const char* at = line; *at != 0; ++at) {
    if (*at == '(' && open == nullptr) open = at;
    if (*at == ')') close = at;
  }
  if (open == nullptr || close == nullptr || close < open) return result;
  size_t size = static_cast<size_t>(close - open - 1);
  if (size >= sizeof result.name) size = sizeof result.name - 1;
  for (size_t at = 0; at < size; ++at) result.name[at] = open[1 + at];
  if (close[1] == ' ') result.state = close[2];
  return result;
}

void emit_row(const Named& named, const char* detail, uint64_t since_ns, cairn_emit_row emit, void* context) {
  plugin::Text<16> virtual_name;
  plugin::Text<16> real_name;
  plugin::Text<16> before;
  virtual_name.add(named.virtual_id);
  real_name.add(named.real_id);
  if (named.before > 0) before.add(named.before);
  cairn_row row = {sizeof row, 0, virtual_name.text(), real_name.text(), before.text(), detail, since_ns};
  emit(context, &row);
}

}  // namespace

void emit_pid_rows(const State& state, int32_t (*thread_before)(int32_t), cairn_emit_row emit, void* context) {
  emit_row(state.process, "process", state.since_ns, emit, context);
  for_each_thread([&](int32_t virtual_id, int32_t real_id) {
    if (virtual_id == state.process.virtual_id) return;
    plugin::Text<64> detail;
    detail.add("thread ").add(thread_text(real_id).name);
    emit_row({virtual_id, real_id, thread_before(virtual_id)}, detail.text(), state.since_ns, emit, context);
  });
  emit_row(state.group, "group", state.since_ns, emit, context);
  emit_row(state.session, "session", state.since_ns, emit, context);
  emit_row(state.parent, "parent", state.since_ns, emit, context);
}

void emit_thread_rows(const State& state, int32_t (*thread_before)(int32_t), cairn_emit_row emit, void* context) {
  for_each_thread([&](int32_t virtual_id, int32_t real_id) {
    ThreadText text = thread_text(real_id);
    char letter[2] = {text.state, 0};
    plugin::Text<64> detail;
    detail.add(text.name);
    if (text.state != 0) detail.add(" ").add(letter);
    int32_t before = virtual_id == state.process.virtual_id ? state.process.before : thread_before(virtual_id);
    emit_row({virtual_id, real_id, before}, detail.text(), state.since_ns, emit, context);
  });
}

}  // namespace cairn::pid
