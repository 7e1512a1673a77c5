// The built-in plugin `path`: virtual and real paths. Here: its events, its table and its extension. What applies to which path:
// locate.h; how a path is followed: walk.h; what a wrapper does to the overlay: target.h; the wrappers: wrap_*.cc.
// Test: tests/path_plugin_test.cc.
#include <errno.h>

#include "locate.h"
#include "common/handles.h"
#include "common/text.h"
#include "known.h"
#include "mapping.h"
#include "numbers.h"
#include "outside.h"
#include "own.h"
#include "proc.h"
#include "removed.h"
#include "rules_file.h"
#include "state.h"
#include "table.h"
#include "wrap.h"

namespace cairn::path {

State state;
uint32_t active;

namespace {

/// The kernel's content of a link in /proc/self, or of the working directory.
bool read_link(const char *link, PathText &content) {
  long length = sys(SYS_readlinkat, AT_FDCWD, link, content.text, PathText::size - 1);
  content.cut(length > 0 ? static_cast<size_t>(length) : 0);
  return length > 0;
}

const char *remember(const PathText &path) {
  char *copy = static_cast<char *>(state.host->allocate((path.length + 16) & ~uint64_t{15}));
  if (copy != nullptr) memcpy(copy, path.text, path.length);
  return copy;
}

int32_t remember_cwd() {
  PathText path;
  bool crossed = false;
  if (folder_of(AT_FDCWD, path, crossed) != 0) {  // removed or out of reach
    state.cwd_removed = true;
    if (state.snapshot_cwd != nullptr) return 0;
    (void)path.assign("/", 1);
  } else {
    state.cwd_removed = false;
  }
  if (state.snapshot_cwd != nullptr && path.equals(state.snapshot_cwd)) return 0;
  const char *copy = remember(path);
  if (copy == nullptr) return state.host->fail(-ENOMEM, "path", "no memory for the working directory's path");
  state.snapshot_cwd = copy;
  return 0;
}

const cairn_paths functions = {sizeof functions, 0, to_real, to_virtual, map_file, new_real, same_file, shown_numbers};

int32_t init(const cairn_host *host, const char *) {
  state.host = host;
  find_all_next();
  PathText path;
  if (!read_link("/proc/self/exe", path))
    return host->fail(-ENOENT, "/proc/self/exe", "the program's path cannot be read: is /proc mounted?");
  state.executable = remember(path);
  if (state.executable == nullptr) return host->fail(-ENOMEM, "path", "no memory for the program's path");
  if (int32_t error = remember_cwd()) return error;
  read_rules();
  // Without a rule: ids in paths of /proc are to be translated.
  if (plugin::has_other_names(host)) {
    state.restarted = true;
    __atomic_store_n(&active, 1u, __ATOMIC_RELEASE);
  }
  return host->publish("cairn.paths/1", &functions);
}

/// Whether nobody puts anything into the run folder who does not tell it by the shared names of this host.
bool is_told_all() {
  const char *hosts = plugin::option(state.host, "hosts"), *folder = nullptr;
  bool is_own_folder = state.layers == 0 || state.host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &folder) != nullptr;
  return hosts != nullptr && plugin::same(hosts, "one") && is_own_folder;
}

int32_t event(uint32_t event, void *) {
  switch (event) {
    case CAIRN_EVENT_PRECHECKPOINT:
      learn_removed();
      return remember_cwd();
    case CAIRN_EVENT_RESTART: {
      state.restarted_ns = now_ns();
      forget_known();
      if (int32_t error = apply_settings()) return error;
      state.restarted = true;
      __atomic_store_n(&active, 1u, __ATOMIC_RELEASE);
      publish_program();
      if (int32_t error = move_outside()) return state.host->fail(error, "path", "files of an earlier run cannot be found in this run's folder");
      if (!plugin::is_root(state.host)) return 0;
      state.own_is_to_be_told = is_told_all() && begin_to_learn();
      if (int32_t error = take_outside_over()) return error;
      if (int32_t error = write_rules()) return state.host->fail(error, "paths", "the path rules cannot be written into the session's runtime folder");
      return 0;
    }
    case CAIRN_EVENT_RUNNING:
      // Not before: all that was to come back has its place now.
      if (state.own_is_to_be_told) plugin::aside(state.host, [] { learn_own(); });
      state.own_is_to_be_told = false;
      return 0;
    default:
      return 0;
  }
}

void emit_row(cairn_emit_row emit, void *context, const char *virtual_name, const char *real, const char *before,
              const char *detail, uint64_t since_ns) {
  const cairn_row row = {sizeof row, 0, virtual_name[0] != 0 ? virtual_name : "/", real[0] != 0 ? real : "/", before, detail,
                         since_ns};
  emit(context, &row);
}

/// Whether this is the layer that takes what is written at its root.
bool is_written(uint32_t layer) {
  for (uint32_t i = layer + 1; i < state.layers; ++i)
    if (is_below(state.layer[layer].root, state.layer[layer].root_length, state.layer[i].root, state.layer[i].root_length))
      return false;
  return true;
}

/// What took the same root's files before this layer.
const char *folder_before(uint32_t layer) {
  const Layer &place = state.layer[layer];
  for (uint32_t i = layer; i > 0; --i)
    if (state.layer[i - 1].root_length == place.root_length && strcmp(state.layer[i - 1].root, place.root) == 0)
      return state.layer[i - 1].folder;
  return place.root;
}

void rows(const char *table, cairn_emit_row emit, void *context) {
  if (strcmp(table, "path") != 0) return;
  PathText real, path;
  bool crossed = false;
  uint64_t since = state.restarted_ns;
  if (read_link("/proc/thread-self/exe", real))
    emit_row(emit, context, state.executable, real.text, state.restarted ? state.executable : "", "executable", since);
  long length = sys(SYS_getcwd, real.text, PathText::size);
  if (length > 0 && folder_of(AT_FDCWD, path, crossed) == 0)
    emit_row(emit, context, path.text, real.text, state.restarted ? state.snapshot_cwd : "", "working directory", since);
  for (uint32_t i = 0; i < state.prefixes; ++i) {
    const Prefix &prefix = state.prefix[i];
    emit_row(emit, context, prefix.from, prefix.to, prefix.before, "prefix", prefix.since_ns);
  }
  for (uint32_t i = state.layers; i > 0; --i) {
    const Layer &layer = state.layer[i - 1];
    emit_row(emit, context, layer.root, layer.folder, folder_before(i - 1),
             is_written(i - 1) ? "run folder" : "earlier run folder", layer.since_ns);
  }
  for (const Entry *entry = newest(); entry != nullptr; entry = entry->older)
    if (entry->kind == Kind::kFile && find(Kind::kFile, entry->key, entry->key_length) == entry)
      emit_row(emit, context, entry->key, entry->value, entry->before, "file", entry->since_ns);
    else if (entry->kind == Kind::kWhiteout)
      emit_row(emit, context, entry->key, "(removed)", entry->key, "whiteout", entry->since_ns);
}

}  // namespace
}  // namespace cairn::path

extern "C" const struct cairn_plugin cairn_plugin_path;
const struct cairn_plugin cairn_plugin_path = {
    sizeof(struct cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "path", "1.0", "Cairn",
    cairn::path::init, cairn::path::event, cairn::path::rows, nullptr, nullptr, nullptr};
