// See proc.h.
#include "proc.h"

#include <errno.h>
#include <sys/uio.h>

#include "common/handles.h"
#include "common/text.h"
#include "locate.h"
#include "proc_maps.h"
#include "state.h"

namespace cairn::path {
namespace {

const cairn_ids *ids() {
  static const cairn_ids *known;
  const cairn_ids *table = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (table == nullptr && state.host != nullptr) {
    table = static_cast<const cairn_ids *>(state.host->extension("cairn.ids/1"));
    __atomic_store_n(&known, table, __ATOMIC_RELAXED);
  }
  return table;
}

/// A decimal number of at most 9 digits that is a whole component: its end; null if there is none.
const char *read_id(const char *text, int32_t &id) {
  const char *start = text;
  for (id = 0; *text >= '0' && *text <= '9'; ++text) {
    if (text - start == 9) return nullptr;
    id = id * 10 + (*text - '0');
  }
  return text != start && (*text == 0 || *text == '/') ? text : nullptr;
}

const char *after(const char *text, const char *prefix) {
  size_t length = strlen(prefix);
  return strncmp(text, prefix, length) == 0 ? text + length : nullptr;
}

const char *skip_slashes(const char *text) {
  while (*text == '/') ++text;
  return text;
}

bool translate(const char *text, PathText &out, int32_t (*change)(int32_t)) {
  const char *rest = after(text, "/proc/");
  if (rest == nullptr) return out.assign(text, strlen(text));
  rest = skip_slashes(rest);
  out.clear();
  if (!out.append("/proc/")) return false;
  int32_t id;
  const char *end = read_id(rest, id);
  if (end != nullptr) {
    if (!out.append_number(static_cast<uint64_t>(change(id)))) return false;
  } else if ((end = after(rest, "self")) != nullptr && (*end == '/' || *end == 0)) {
    if (!out.append("self")) return false;
  } else {
    return out.append(rest);
  }
  const char *task = skip_slashes(end);
  const char *thread = task != end ? after(task, "task/") : nullptr;
  if (thread != nullptr && (end = read_id(skip_slashes(thread), id)) != nullptr) {
    if (!out.append("/task/") || !out.append_number(static_cast<uint64_t>(change(id)))) return false;
  } else {
    if (*end != 0 && !out.append("/", 1)) return false;
    end = task;
  }
  return out.append(end);
}

/// What follows "/proc/<this process>" or "/proc/self/task/<any thread>"; null: not this process.
const char *own_entry(const char *path) {
  const char *rest = after(path, "/proc/");
  if (rest == nullptr) return nullptr;
  int32_t id;
  if (const char *end = after(rest, "thread-self/")) return end - 1;
  const char *end = after(rest, "self");
  if (end == nullptr || (*end != 0 && *end != '/')) {
    end = read_id(rest, id);
    if (end == nullptr || (id != state.host->virtual_pid() && id_to_real(id) != state.host->real_pid())) return nullptr;
  }
  if (const char *thread = after(end, "/task/"))
    if (const char *thread_end = read_id(thread, id)) return thread_end;
  return end;
}

/// What follows "/proc/ID" of another process; null: it is none. One that has just been forked may not be known yet as one of the computation.
const char *entry_of_other(const char *path, int32_t &virtual_id, int32_t &real_id) {
  const char *rest = after(path, "/proc/");
  const char *end = rest != nullptr ? read_id(rest, virtual_id) : nullptr;
  if (end != nullptr) real_id = id_to_real(virtual_id);
  return end;
}

constexpr uint32_t programs = plugin::name_space("path.programs");

/// What is executed in every process that a restart has rebuilt.
bool is_restorer(const PathText &path) {
  static constexpr char kName[] = "/cairn-restore";
  constexpr size_t kLength = sizeof kName - 1;
  return path.length >= kLength && strcmp(path.text + path.length - kLength, kName) == 0;
}

int32_t parent_of(int32_t real_id) {
  char status[512] = {};
  plugin::Text<64> file;
  file.add("/proc/").add(real_id).add("/stat");
  plugin::aside(state.host, [&] { plugin::read_file(state.host, file.text(), status, sizeof status); });
  const char *at = strrchr(status, ')');  // ") S PPID"
  int64_t parent = 0;
  if (at == nullptr || strnlen(at, 4) < 4) return 0;
  at += 4;
  return plugin::read_number(&at, 10, &parent) ? static_cast<int32_t>(parent) : 0;
}

/// The program of another process that has the restorer's file: it has told where its path is, or whoever it was forked from.
bool program_of(int32_t virtual_id, int32_t real_id, PathText &program) {
  constexpr int kMostForks = 16;
  for (int forks = 0; forks < kMostForks; ++forks) {
    int64_t address = 0;
    if (state.host->get_name(programs, virtual_id, &address) == 0 && id_to_real(virtual_id) == real_id) {
      struct iovec here = {program.text, PathText::size - 1}, there = {reinterpret_cast<void *>(address), PathText::size - 1};
      int64_t size = sys(SYS_process_vm_readv, real_id, &here, 1, &there, 1, 0);
      if (size <= 0) return false;
      size_t length = strnlen(program.text, static_cast<size_t>(size));
      if (length == static_cast<size_t>(size)) return false;
      program.cut(length);
      return length > 0;
    }
    int32_t parent = parent_of(real_id);
    if (parent <= 1) return false;
    virtual_id = id_to_virtual(parent);
    real_id = parent;
  }
  return false;
}

}  // namespace

void publish_program() {
  (void)state.host->set_name(programs, state.host->virtual_pid(), static_cast<int64_t>(reinterpret_cast<uintptr_t>(state.executable)));
}

int32_t id_to_real(int32_t id) { return ids() != nullptr ? ids()->to_real(id) : id; }
int32_t id_to_virtual(int32_t id) { return ids() != nullptr ? ids()->to_virtual(id) : id; }
uint32_t id_moment() { return ids() != nullptr && ids()->moment != nullptr ? ids()->moment() : 0; }

int32_t translated_copy(const char *real) {
  if (is_memory_map(real)) return memory_map_copy(real);
  const cairn_ids *table = ids();
  if (table == nullptr || table->size < sizeof *table) return -ENOENT;
  return table->proc_copy(real);
}

bool proc_ids_to_real(const PathText &path, PathText &real) { return translate(path.text, real, id_to_real); }

int proc_to_virtual(const PathText &real, PathText &path, bool &crossed) {
  if (!translate(real.text, path, id_to_virtual)) return -ENAMETOOLONG;
  if (!path.equals(real.text, real.length)) crossed = true;
  return 0;
}

bool is_own_executable(const char *path) {
  const char *entry = own_entry(path);
  return entry != nullptr && strcmp(entry, "/exe") == 0;
}

const char *beyond_own_cwd(const PathText &folder, const char *rest) {
  PathText whole;
  if (!whole.assign(folder) || !whole.append("/", 1) || !whole.append(rest)) return nullptr;
  const char *entry = own_entry(whole.text);
  const char *beyond = entry != nullptr ? after(entry, "/cwd") : nullptr;
  if (beyond == nullptr || (*beyond != 0 && *beyond != '/')) return nullptr;
  size_t skipped = static_cast<size_t>(beyond - whole.text);
  return skipped >= folder.length + 1u ? rest + (skipped - folder.length - 1) : nullptr;
}

bool is_translated_link(const char *path) {
  if (strcmp(path, "/proc/self") == 0 || strcmp(path, "/proc/thread-self") == 0) return true;
  int32_t virtual_id, real_id;
  const char *entry = own_entry(path);
  if (entry == nullptr) {
    entry = entry_of_other(path, virtual_id, real_id);
    return entry != nullptr && (strcmp(entry, "/exe") == 0 || strcmp(entry, "/cwd") == 0);
  }
  return (strcmp(entry, "/exe") == 0 || strcmp(entry, "/cwd") == 0 || after(entry, "/fd/") != nullptr ||
          after(entry, "/map_files/") != nullptr);
}

int link_to_virtual(const char *link, const PathText &real, PathText &path) {
  if (is_own_executable(link)) return path.assign(state.executable, strlen(state.executable)) ? 0 : -ENAMETOOLONG;
  int32_t virtual_id, real_id;
  const char *entry = entry_of_other(link, virtual_id, real_id);
  if (entry != nullptr && strcmp(entry, "/exe") == 0 && is_restorer(real) && program_of(virtual_id, real_id, path)) return 0;
  if (real.text[0] == '/') {
    bool crossed = false;
    if (is_below(real.text, real.length, "/proc", 5)) return proc_to_virtual(real, path, crossed);
    return to_virtual(real.text, real.length, path);
  }
  if (strcmp(link, "/proc/self") != 0 && strcmp(link, "/proc/thread-self") != 0)
    return path.assign(real) ? 0 : -ENAMETOOLONG;
  PathText whole;  // "PID" or "PID/task/TID"
  if (!whole.assign("/proc/", 6) || !whole.append(real.text) || !translate(whole.text, path, id_to_virtual)) return -ENAMETOOLONG;
  return path.assign(path.text + 6, path.length - 6) ? 0 : -ENAMETOOLONG;
}

}  // namespace cairn::path
