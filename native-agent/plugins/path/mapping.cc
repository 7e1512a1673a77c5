// See mapping.h. A restart adds to the rules of earlier restarts: a prefix map replaces the one for the same virtual prefix, a
// run folder goes on top of the earlier ones, which are only read from then on. Without a run folder (in place) the last one
// that there was stays the one that is written to.
#include "mapping.h"

#include <errno.h>
#include <time.h>

#include "common/text.h"
#include "locate.h"
#include "proc.h"
#include "outside.h"
#include "own.h"
#include "state.h"
#include "table.h"
#include "target.h"

extern "C" char **environ;

namespace cairn::path {
namespace {

const char *allocate_copy(const char *text, size_t length) {
  char *copy = static_cast<char *>(state.host->allocate((length + 16) & ~uint64_t{15}));
  if (copy != nullptr) memcpy(copy, text, length);
  return copy;
}

size_t without_slashes(const char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') --length;
  return length == 1 && path[0] == '/' ? 0 : length;
}

/// The path by which the kernel will show it; as given where it does not exist.
bool canonical(const char *path, PathText &result) {
  long fd = sys(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
  if (fd >= 0) {
    PathText link;
    long length = -1;
    if (link.assign("/proc/thread-self/fd/", 21) && link.append_number(static_cast<uint64_t>(fd)))
      length = sys(SYS_readlinkat, AT_FDCWD, link.text, result.text, PathText::size - 1);
    sys(SYS_close, fd);
    if (length > 0 && result.text[0] == '/') {
      result.cut(static_cast<size_t>(length));
      if (result.equals("/")) result.clear();
      return true;
    }
  }
  return result.assign(path, without_slashes(path));
}

int32_t fail(int32_t error, const char *culprit, const char *text) { return state.host->fail(error, culprit, text); }

}  // namespace

int32_t add_prefix(const char *from, const char *to) {
  if (from[0] != '/' || to == nullptr || to[0] != '/')
    return fail(-EINVAL, from, "a path map needs two absolute paths: give --path /FROM=/TO");
  PathText real;
  if (!canonical(to, real)) return fail(-ENAMETOOLONG, to, "the path is too long for a path map");
  size_t from_length = without_slashes(from);
  Prefix *slot = nullptr;
  for (uint32_t i = 0; i < state.prefixes && slot == nullptr; ++i)
    if (state.prefix[i].from_length == from_length && memcmp(state.prefix[i].from, from, from_length) == 0)
      slot = &state.prefix[i];
  bool fresh = slot == nullptr;
  if (fresh && state.prefixes == kMaximumPrefixes)
    return fail(-ENOSPC, from, "there are more than 256 path maps: give fewer --path");
  if (fresh) slot = &state.prefix[state.prefixes];
  const char *before = fresh ? allocate_copy(from, from_length) : slot->to;
  const char *copy = allocate_copy(real.text, real.length);
  if (before == nullptr || copy == nullptr) return fail(-ENOMEM, from, "no memory for a path map");
  if (fresh) {
    slot->from = before;
    slot->from_length = static_cast<uint32_t>(from_length);
  }
  slot->before = before;
  slot->to = copy;
  slot->to_length = real.length;
  slot->since_ns = state.restarted_ns;
  if (fresh) ++state.prefixes;
  return 0;
}

int32_t add_layer(const char *root, size_t root_length, const char *folder, size_t folder_length) {
  if (state.layers == kMaximumLayers)
    return fail(-ENOSPC, folder, "this is the 257th restart in a row: restart an earlier snapshot, or restart in place");
  Layer &layer = state.layer[state.layers];
  layer.root = allocate_copy(root, root_length);
  layer.folder = allocate_copy(folder, folder_length);
  if (layer.root == nullptr || layer.folder == nullptr) return fail(-ENOMEM, folder, "no memory for a run folder");
  layer.root_length = static_cast<uint32_t>(root_length);
  layer.folder_length = static_cast<uint32_t>(folder_length);
  layer.since_ns = state.restarted_ns;
  ++state.layers;
  return 0;
}

namespace {

int make_folders(PathText &path, size_t from) {
  for (size_t end = from + 1; end <= path.length; ++end) {
    if (end != path.length && path.text[end] != '/') continue;
    char kept = path.text[end];
    path.text[end] = 0;
    long error = sys(SYS_mkdirat, AT_FDCWD, path.text, 0777);
    path.text[end] = kept;
    if (error < 0 && error != -EEXIST) return static_cast<int>(error);
  }
  return 0;
}

}  // namespace

int32_t exclude(const char *path, size_t length) {
  if (length == 0) return 0;
  for (uint32_t i = 0; i < state.excluded; ++i)
    if (strlen(state.exclude[i]) == length && memcmp(state.exclude[i], path, length) == 0) return 0;
  if (state.excluded == kMaximumExcluded) return fail(-ENOSPC, path, "too many stores and run folders in one computation's past");
  const char *copy = allocate_copy(path, length);
  if (copy == nullptr) return fail(-ENOMEM, path, "no memory for a path");
  state.exclude[state.excluded++] = copy;
  return 0;
}

namespace {

int32_t exclude_store(const char *store, const PathText &root) {
  size_t length = without_slashes(store);
  if (!is_below(root.text, root.length, store, length)) return exclude(store, length);
  PathText part;  // the working directory is in the store's folder: only the parts that are the store's
  static constexpr const char *kParts[] = {"/snapshots", "/runs", "/tmp"};
  for (const char *name : kParts)
    if (!part.assign(store, length) || !part.append(name) || exclude(part.text, part.length) != 0) return -ENAMETOOLONG;
  return 0;
}

/// The roots of earlier run folders that are not in this working directory get a place of their own, so that this run does not
/// write to the earlier runs' folders. They come before the run folder itself, which is the one for all below this directory.
int32_t add_other_roots(const PathText &folder, const PathText &root) {
  uint32_t earlier = state.layers;
  for (uint32_t i = 0; i < earlier; ++i) {
    const Layer layer = state.layer[i];
    bool known = is_below(layer.root, layer.root_length, root.text, root.length);
    for (uint32_t j = earlier; j < state.layers; ++j)
      known = known || (state.layer[j].root_length == layer.root_length &&
                        memcmp(state.layer[j].root, layer.root, layer.root_length) == 0);
    if (known) continue;
    PathText place;
    if (!place.assign(folder) || !place.append("/.cairn/outside") || !place.append(layer.root, layer.root_length))
      return fail(-ENAMETOOLONG, folder.text, "the run folder's path is too long");
    if (int error = make_folders(place, folder.length))
      return fail(error, place.text, "cannot make this folder for the run's files");
    if (int32_t error = add_layer(layer.root, layer.root_length, place.text, place.length)) return error;
  }
  return 0;
}

int32_t add_run_folder(const char *given) {
  PathText folder, root;
  if (given[0] != '/' || !canonical(given, folder)) return fail(-EINVAL, given, "the run folder must be an absolute path");
  struct statx status;
  int error = stat_path(folder.text, true, status);
  if (error != 0 || (status.stx_mode & S_IFMT) != S_IFDIR)
    return fail(error != 0 ? error : -ENOTDIR, given, "the run folder is not there: it takes what the restarted run writes");
  // One for all processes of the computation.
  const char *common = plugin::common_folder(state.host, state.cwd_removed ? "" : state.snapshot_cwd);
  if (!root.assign(common != nullptr ? common : state.snapshot_cwd)) return -ENAMETOOLONG;
  if (root.equals("/")) root.clear();
  if (int32_t failure = exclude(folder.text, folder.length)) return failure;
  if (const char *runs = strstr(folder.text, "/runs/"))
    if (strchr(runs + 6, '/') == nullptr) {
      PathText store;
      if (!store.assign(folder.text, static_cast<size_t>(runs - folder.text))) return -ENAMETOOLONG;
      if (int32_t failure = exclude_store(store.text, root)) return failure;
    }
  if (int32_t failure = add_other_roots(folder, root)) return failure;
  return add_layer(root.text, root.length, folder.text, folder.length);
}

}  // namespace

const char *environment_variable(const char *name) {
  size_t length = strlen(name);
  for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return *entry + length + 1;
  return nullptr;
}

uint64_t now_ns() {
  struct timespec now = {};
  sys(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

int32_t apply_settings() {
  const char *value = nullptr;
  for (uint32_t i = 0; const char *from = state.host->setting(CAIRN_SETTING_PATH, i, &value); ++i)
    if (int32_t error = add_prefix(from, value)) return error;
  PathText root;
  (void)root.assign(state.snapshot_cwd, strlen(state.snapshot_cwd));
  if (const char *store = environment_variable("CAIRN_STORE"); store != nullptr && store[0] == '/')
    if (int32_t error = exclude_store(store, root)) return error;
  value = nullptr;
  if (state.host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &value) != nullptr && value != nullptr && value[0] != 0)
    return add_run_folder(value);
  return 0;
}

int32_t map_file(const char *virtual_path, const char *real_path) {
  PathText real, overlaid;
  PathText path;
  if (!canonical(real_path, real) || !path.assign(virtual_path, strlen(virtual_path))) return -ENAMETOOLONG;
  int32_t top = top_layer(path);
  bool shadowed = top >= 0 && layer_path(top, path, overlaid) == 0 && overlaid.equals(real.text, real.length);
  const Entry *earlier = find(Kind::kFile, path.text, path.length);
  const char *before = earlier != nullptr ? earlier->value : path.text;
  uint64_t now = now_ns();
  tell_own(path);
  if (!shadowed) tell_outside(path);
  if (!shadowed && insert(Kind::kFileReal, real.text, real.length, path.text, 0, "", now, false) == nullptr) return -ENOMEM;
  if (insert(Kind::kFile, path.text, path.length, real.text, 0, before, now, shadowed) == nullptr) return -ENOMEM;
  __atomic_store_n(&active, 1u, __ATOMIC_RELEASE);
  return 0;
}

int32_t to_real(const char *path, char *buffer, uint32_t capacity) {
  const char *result = path;
  Target target;
  if (!inactive()) {
    if (int error = target.look_folder(AT_FDCWD, path); error == -ENAMETOOLONG) return error;
    else if (error == 0) result = target.path;
  }
  size_t length = strlen(result);
  if (length >= capacity) return -ENAMETOOLONG;
  memcpy(buffer, result, length + 1);
  return static_cast<int32_t>(length);
}

int32_t new_real(const char *path, char *buffer, uint32_t capacity) {
  const char *result = path;
  Target target;
  if (!inactive()) {
    if (int error = target.create(AT_FDCWD, path)) return error;
    result = target.path;
  }
  size_t length = strlen(result);
  if (length >= capacity) return -ENAMETOOLONG;
  memcpy(buffer, result, length + 1);
  return static_cast<int32_t>(length);
}

int32_t to_virtual(const char *path, char *buffer, uint32_t capacity) {
  PathText result, given;
  bool crossed = false;
  const char *shown = path;
  size_t length = strlen(path);
  if (!inactive() && path[0] == '/') {
    int error = is_below(path, length, "/proc", 5) && given.assign(path, length)
                    ? proc_to_virtual(given, result, crossed)
                    : to_virtual(path, length, result);
    if (error != 0) return error;
    shown = result.text;
    length = result.length;
  }
  if (length >= capacity) return -ENAMETOOLONG;
  memcpy(buffer, shown, length + 1);
  return static_cast<int32_t>(length);
}

}  // namespace cairn::path
