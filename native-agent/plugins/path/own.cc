// See own.h.
#include "own.h"

#include <sys/stat.h>

#include "common/handles.h"
#include "common/text.h"
#include "locate.h"
#include "state.h"
#include "told.h"

namespace cairn::path {
namespace {

// Spaces of the shared names. kOwn: hash of a name, reduced → 1; as few that the table has room for all. kKnown: two keys, there
// from before the threads run: whether all is told, and whether something could not be told, for good. kHidden: key 0 → the number that changes.
constexpr uint32_t kOwn = plugin::name_space("path own");
constexpr uint32_t kKnown = plugin::name_space("path own known");
constexpr int64_t kAll = 0;
constexpr int64_t kMissed = 1;
constexpr uint32_t kHidden = plugin::name_space("path hidden");
constexpr uint64_t kKeys = 4096;
/// With so many names most would be taken for one that is there.
constexpr uint32_t kMaximumNames = 2 * kKeys;
// The stack of who looks is small, and nobody is to wait for a slow file system.
constexpr unsigned kMaximumDepth = 24;
constexpr int64_t kMaximumNs = 1000000000;

int64_t key_of(const char *name, size_t length) {
  uint64_t hash = static_cast<uint64_t>(hash_of(name, length));
  return static_cast<int64_t>((hash ^ (hash >> 32)) % kKeys);
}

/// Without room for a name nothing can be known any more. There is room for this: what is there is replaced in its place.
void miss() { state.host->set_name(kKnown, kMissed, 1); }

bool is_set(int64_t key, int64_t value) {
  int64_t found = 0;
  return state.host->get_name(kKnown, key, &found) == 0 && found == value;
}

bool tell_key(int64_t key) {
  if (is_told(kOwn, key) || state.host->set_name(kOwn, key, 1) == 0) return true;
  miss();
  return false;
}

int64_t monotonic_ns() {
  struct timespec now = {};
  sys(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

/// Tells the names below a folder; false: not all.
bool tell_below(PathText &folder, bool is_root, uint32_t &names, int64_t until_ns, unsigned depth) {
  if (depth > kMaximumDepth || monotonic_ns() > until_ns) return false;
  long fd = sys(SYS_openat, AT_FDCWD, folder.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  size_t length = folder.length;
  bool whole = true;
  alignas(8) char entries[1024];
  long size = 0;
  while (whole && (size = sys(SYS_getdents64, fd, entries, sizeof entries)) > 0) {
    for (long at = 0; at < size && whole;) {
      const auto *entry = reinterpret_cast<const plugin::KernelDirent *>(entries + at);
      at += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      if (is_root && strcmp(entry->name, ".cairn") == 0) continue;  // Cairn's own
      struct statx status;
      whole = tell_key(key_of(entry->name, strlen(entry->name))) && ++names <= kMaximumNames && folder.append_component(entry->name, strlen(entry->name));
      if (whole && stat_path(folder.text, false, status) == 0 && S_ISDIR(status.stx_mode)) whole = tell_below(folder, false, names, until_ns, depth + 1);
      folder.cut(length);
    }
  }
  sys(SYS_close, fd);
  return whole && size >= 0;
}

}  // namespace

int64_t own_key(const PathText &path) {
  size_t start = path.length;
  while (start > 0 && path.text[start - 1] != '/') --start;
  return key_of(path.text + start, path.length - start);
}

void tell_own(const PathText &path) { (void)tell_key(own_key(path)); }

bool may_be_own(int64_t key) { return !is_set(kAll, 1) || !is_set(kMissed, 0) || is_told(kOwn, key); }

void tell_hidden() {
  if (state.host->set_name(kHidden, 0, (monotonic_ns() << 8) | (sys(SYS_gettid) & 0xff)) != 0) miss();
}

int64_t last_hidden() {
  int64_t value = 0;
  return state.host->get_name(kHidden, 0, &value) == 0 ? value : 0;
}

bool begin_to_learn() { return state.host->set_name(kKnown, kAll, 0) == 0 && state.host->set_name(kKnown, kMissed, 0) == 0; }

void learn_own() {
  PathText folder;
  uint32_t names = 0;
  const int64_t until_ns = monotonic_ns() + kMaximumNs;
  for (uint32_t i = 0; i < state.layers; ++i) {
    const Layer &layer = state.layer[i];
    if (!folder.assign(layer.root, layer.root_length)) return;
    if (!tell_key(own_key(folder))) return;
    if (!folder.assign(layer.folder, layer.folder_length) || !tell_below(folder, true, names, until_ns, 0)) return;
  }
  state.host->set_name(kKnown, kAll, 1);
}

}  // namespace cairn::path
