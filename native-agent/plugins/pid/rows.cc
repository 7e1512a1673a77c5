// Owns: the rows of the tables "pid" and "thread"; see rows.h. The threads are those that the kernel shows now.
#include "pid/rows.h"

#include <fcntl.h>

#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

namespace {

struct SeenThread {
  int32_t real;
  char name[16];
  char state;  // 0: unknown
};
constexpr uint32_t max_seen = 16384;
SeenThread seen[max_seen];
uint32_t seen_count = 0;

/// "TID (NAME) S …"; a name may hold any character, so its end is the last ')'.
void read_thread(SeenThread* thread) {
  plugin::Text<64> path;
  path.add("/proc/").add(self_real()).add("/task/").add(thread->real).add("/stat");
  char line[512];
  if (plugin::read_file(host, path.text(), line, sizeof line) <= 0) return;
  const char* open = nullptr;
  const char* close = nullptr;
  for (const char* at = line; *at != 0; ++at) {
    if (*at == '(' && open == nullptr) open = at;
    if (*at == ')') close = at;
  }
  if (open == nullptr || close == nullptr || close < open) return;
  size_t size = static_cast<size_t>(close - open - 1);
  if (size >= sizeof thread->name) size = sizeof thread->name - 1;
  for (size_t at = 0; at < size; ++at) thread->name[at] = open[1 + at];
  if (close[1] == ' ') thread->state = close[2];
}

/// All threads but the caller, which is Cairn's own.
void see_threads() {
  int32_t caller = static_cast<int32_t>(raw(SYS_gettid));
  plugin::Text<64> path;
  path.add("/proc/").add(self_real()).add("/task");
  plugin::aside(host, [&] {
    seen_count = 0;
    (void)plugin::for_each_entry(host, path.text(), [&](long, const plugin::KernelDirent& entry) {
      const char* text = entry.name;
      int64_t number = 0;
      if (!plugin::read_number(&text, 10, &number) || number == caller) return false;
      seen[seen_count] = {static_cast<int32_t>(number), {}, 0};
      read_thread(&seen[seen_count++]);
      return seen_count == max_seen;
    });
  });
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
  see_threads();
  for (uint32_t i = 0; i < seen_count; ++i) {
    int32_t virtual_id = to_virtual(Space::id, seen[i].real);
    if (virtual_id == state.process.virtual_id) continue;
    plugin::Text<64> detail;
    detail.add("thread ").add(seen[i].name);
    emit_row({virtual_id, seen[i].real, thread_before(virtual_id)}, detail.text(), state.since_ns, emit, context);
  }
  emit_row(state.group, "group", state.since_ns, emit, context);
  emit_row(state.session, "session", state.since_ns, emit, context);
  emit_row(state.parent, "parent", state.since_ns, emit, context);
}

void emit_thread_rows(const State& state, int32_t (*thread_before)(int32_t), cairn_emit_row emit, void* context) {
  see_threads();
  for (uint32_t i = 0; i < seen_count; ++i) {
    int32_t virtual_id = to_virtual(Space::id, seen[i].real);
    char letter[2] = {seen[i].state, 0};
    plugin::Text<64> detail;
    detail.add(seen[i].name);
    if (letter[0] != 0) detail.add(" ").add(letter);
    int32_t before = virtual_id == state.process.virtual_id ? state.process.before : thread_before(virtual_id);
    emit_row({virtual_id, seen[i].real, before}, detail.text(), state.since_ns, emit, context);
  }
}

}  // namespace cairn::pid
