// See locate.h.
#include "locate.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mapping.h"
#include "outside.h"
#include "own.h"
#include "removed.h"
#include "state.h"
#include "table.h"

namespace cairn::path {
namespace {

/// Kernel file systems are not overlaid even where the working directory is "/".
constexpr const char *kKernelFolders[] = {"/proc", "/sys", "/dev", "/run"};

bool in_layer(const Layer &layer, const PathText &path) {
  return is_below(path.text, path.length, layer.root, layer.root_length);
}

/// Whether a path is the store, or in it, of the folder whose path has this length and is the path's beginning.
bool is_store_below(size_t root_length, const PathText &path) {
  static constexpr char kStore[] = "/.cairn";
  const char *rest = path.text + root_length;
  return path.length >= root_length + sizeof kStore - 1 && memcmp(rest, kStore, sizeof kStore - 1) == 0 &&
         (rest[sizeof kStore - 1] == 0 || rest[sizeof kStore - 1] == '/');
}

bool excluded(const PathText &path) {
  for (uint32_t i = 0; i < state.excluded; ++i)
    if (is_below(path.text, path.length, state.exclude[i], strlen(state.exclude[i]))) return true;
  for (const char *folder : kKernelFolders)
    if (is_below(path.text, path.length, folder, strlen(folder))) return true;
  for (uint32_t i = 0; i < state.layers; ++i)
    if (in_layer(state.layer[i], path) && is_store_below(state.layer[i].root_length, path)) return true;
  return false;
}

int set_or_too_long(bool fits) { return fits ? 0 : -ENAMETOOLONG; }

/// The number of a terminal's path, or -1.
int32_t terminal_number(const char *path, size_t length) {
  static constexpr char kFolder[] = "/dev/pts/";
  constexpr size_t kLength = sizeof kFolder - 1;
  if (length <= kLength || length > kLength + 8 || memcmp(path, kFolder, kLength) != 0) return -1;
  int32_t number = 0;
  for (size_t i = kLength; i < length; ++i) {
    if (path[i] < '0' || path[i] > '9') return -1;
    number = number * 10 + (path[i] - '0');
  }
  return number;
}

/// Puts a terminal's path under the number that `rename` gives for its own; false: it is none, or keeps its number.
bool rename_terminal(const char *path, size_t length, int32_t (*cairn_terminals::*rename)(int32_t), PathText &result) {
  int32_t number = terminal_number(path, length);
  const cairn_terminals *table = number >= 0 ? terminals() : nullptr;
  if (table == nullptr) return false;
  int32_t other = (table->*rename)(number);
  return other != number && result.assign("/dev/pts/", 9) && result.append_number(static_cast<uint64_t>(other));
}

/// Looks at found.real.
void look(Found &found) {
  struct statx status;
  found.error = stat_path(found.real.length != 0 ? found.real.text : "/", false, status);
  found.mode = found.error == 0 ? status.stx_mode : 0;
  found.device = found.error == 0 ? makedev(status.stx_dev_major, status.stx_dev_minor) : 0;
  found.inode = found.error == 0 ? status.stx_ino : 0;
}

enum class Part : uint8_t { kAll, kOriginal, kRunFolders };

/// 1: it is there, or the kernel is to say why it cannot be looked for; 0: there is none in this part; -errno.
int look_in_layers(const PathText &path, int32_t top, Part part, Found &found) {
  int32_t layer = top;
  do {
    if ((layer == Found::kOriginal ? Part::kRunFolders : Part::kOriginal) == part) continue;
    if (int error = layer_path(layer, path, found.real)) return error;
    look(found);
    if (found.error == -ENOENT) continue;
    if (found.error == -ENOTDIR) break;  // a file stands where a lower layer has a folder
    found.where = layer == top ? Where::kTop : Where::kLower;
    found.layer = layer;
    return 1;
  } while (next_layer(path, layer));
  return 0;
}

}  // namespace

int stat_path(const char *real, bool follow, struct statx &status) {
  return static_cast<int>(
      sys(SYS_statx, AT_FDCWD, real, follow ? AT_NO_AUTOMOUNT : AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status));
}

int apply_prefix(const PathText &path, PathText &real) {
  const Prefix *best = nullptr;
  for (uint32_t i = 0; i < state.prefixes; ++i) {
    const Prefix &prefix = state.prefix[i];
    if ((best == nullptr || prefix.from_length > best->from_length) &&
        is_below(path.text, path.length, prefix.from, prefix.from_length))
      best = &prefix;
  }
  if (best == nullptr) return set_or_too_long(real.assign(path));
  const char *rest = path.text + best->from_length;
  return set_or_too_long(real.assign(best->to, best->to_length) && real.append(rest));
}

int32_t top_layer(const PathText &path) {
  if (state.layers == 0) return -1;
  for (int32_t i = static_cast<int32_t>(state.layers) - 1; i >= 0; --i)
    if (in_layer(state.layer[i], path)) return excluded(path) ? -1 : i;
  return -1;
}

int layer_path(int32_t layer, const PathText &path, PathText &real) {
  if (layer == Found::kOriginal) return apply_prefix(path, real);
  const Layer &place = state.layer[layer];
  return set_or_too_long(real.assign(place.folder, place.folder_length) && real.append(path.text + place.root_length));
}

bool hidden_in_table(int32_t layer, const PathText &path, size_t length) {
  for (const Entry *entry = find(Kind::kWhiteout, path.text, length); entry != nullptr; entry = find_older(entry))
    if (entry->layer == layer) return true;
  return false;
}

bool hidden_below(int32_t layer, const PathText &path) {
  if (layer < 0) return false;
  bool is_top = layer + 1 == static_cast<int32_t>(state.layers);
  size_t root = state.layer[layer].root_length;
  for (size_t end = path.length; end > root; --end) {
    if (end != path.length && path.text[end] != '/') continue;
    if (hidden_in_table(layer, path, end) || (is_top && told_removed(path, end))) return true;
  }
  return false;
}

bool next_layer(const PathText &path, int32_t &layer) {
  if (layer < 0 || hidden_below(layer, path)) return false;
  for (--layer; layer >= 0; --layer)
    if (in_layer(state.layer[layer], path)) return true;
  return true;  // kOriginal
}

int hide(const PathText &path) {
  int32_t layer = top_layer(path);
  if (layer < 0 || hidden_below(layer, path)) return 0;
  tell_removed(path);
  bool kept = insert(Kind::kWhiteout, path.text, path.length, "", layer, "", now_ns(), false) != nullptr;
  tell_hidden();
  return kept ? 0 : -ENOMEM;
}

int locate_overlay(const PathText &path, Found &found) {
  int32_t top = top_layer(path);
  if (top < 0) {
    if (int error = apply_prefix(path, found.real)) return error;
    found.where = found.real.equals(path.text, path.length) ? Where::kNone : Where::kPrefix;
    found.layer = Found::kOriginal;
    look(found);
    return 0;
  }
  bool own = may_be_own(own_key(path));
  int result = look_in_layers(path, top, own ? Part::kAll : Part::kOriginal, found);
  // What programs without Cairn have put into a folder that is in the run folder alone, nobody has told.
  if (result == 0 && !own) result = look_in_layers(path, top, Part::kRunFolders, found);
  if (result != 0) return result < 0 ? result : 0;
  found.where = Where::kAbsent;
  found.layer = top;
  found.mode = 0;
  return layer_path(top, path, found.real);
}

int locate(const PathText &path, Found &found) {
  bool renamed = rename_terminal(path.text, path.length, &cairn_terminals::to_real, found.real);
  if (!renamed) {
    const Entry *file = find(Kind::kFile, path.text, path.length);
    bool outside = file == nullptr && told_outside(path, found.real);
    if (!outside && (file == nullptr || file->shadowed)) return locate_overlay(path, found);
    if (!outside && !found.real.assign(file->value, file->value_length)) return -ENAMETOOLONG;
  }
  found.where = Where::kFile;
  found.layer = Found::kOriginal;
  look(found);
  return 0;
}

bool is_rule_root(const PathText &path) {
  for (uint32_t i = 0; i < state.prefixes; ++i)
    if (path.equals(state.prefix[i].from, state.prefix[i].from_length)) return true;
  for (uint32_t i = 0; i < state.layers; ++i)
    if (path.equals(state.layer[i].root, state.layer[i].root_length)) return true;
  return false;
}

bool holds_rule_root(const PathText &path) {
  for (uint32_t i = 0; i < state.layers; ++i)
    if (is_below(state.layer[i].root, state.layer[i].root_length, path.text, path.length)) return true;
  for (uint32_t i = 0; i < state.prefixes; ++i)
    if (is_below(state.prefix[i].from, state.prefix[i].from_length, path.text, path.length)) return true;
  return false;
}

int to_virtual(const char *real, size_t length, PathText &path) {
  if (rename_terminal(real, length, &cairn_terminals::to_virtual, path)) return 0;
  const Entry *file = find(Kind::kFileReal, real, length);
  if (file != nullptr) {
    const Entry *back = find(Kind::kFile, file->value, file->value_length);
    if (back != nullptr && back->value_length == length && memcmp(back->value, real, length) == 0)
      return set_or_too_long(path.assign(file->value, file->value_length));
  }
  if (from_outside(real, length, path)) return 0;
  for (int32_t i = static_cast<int32_t>(state.layers) - 1; i >= 0; --i) {
    const Layer &layer = state.layer[i];
    if (!is_below(real, length, layer.folder, layer.folder_length)) continue;
    bool fits = path.assign(layer.root, layer.root_length) && path.append(real + layer.folder_length, length - layer.folder_length);
    if (fits && is_store_below(layer.root_length, path)) continue;
    if (fits && path.length == 0) fits = path.assign("/", 1);
    return set_or_too_long(fits);
  }
  const Prefix *best = nullptr;
  for (uint32_t i = 0; i < state.prefixes; ++i) {
    const Prefix &prefix = state.prefix[i];
    if ((best == nullptr || prefix.to_length > best->to_length) && is_below(real, length, prefix.to, prefix.to_length))
      best = &prefix;
  }
  if (best == nullptr) return set_or_too_long(path.assign(real, length));
  return set_or_too_long(path.assign(best->from, best->from_length) &&
                         path.append(real + best->to_length, length - best->to_length));
}

}  // namespace cairn::path
