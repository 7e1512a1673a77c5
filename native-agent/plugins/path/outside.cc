#include "outside.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/folders.h"
#include "common/handles.h"
#include "common/text.h"
#include "copy_up.h"
#include "mapping.h"
#include "table.h"
#include "told.h"

namespace cairn::path {
namespace {

// Space of the shared names: hash of a virtual path → 1.
constexpr uint32_t kOutside = plugin::name_space("path outside");
constexpr char kPart[] = "/.cairn/outside";
constexpr size_t kPartLength = sizeof kPart - 1;
constexpr unsigned kMaximumDepth = 48;

bool is_told_outside(const PathText &path) { return is_told(kOutside, hash_of(path.text, path.length)); }

/// What follows the layer's own place for such files in a real path; nullptr: it is none of them.
const char *below_outside(const Layer &layer, const char *real, size_t length) {
  if (length <= layer.folder_length + kPartLength || !is_below(real, length, layer.folder, layer.folder_length)) return nullptr;
  const char *rest = real + layer.folder_length;
  return memcmp(rest, kPart, kPartLength) == 0 && rest[kPartLength] == '/' ? rest + kPartLength : nullptr;
}

/// A run's copy, which is at `real`, of the file that the program knows as `path`.
int take_file(const PathText &path, const PathText &real, const struct statx &status) {
  PathText place;
  struct statx there;
  const Layer *layer = run_folder();
  if (!place.assign(layer->folder, layer->folder_length) || !place.append(kPart) || !place.append(path.text)) return -ENAMETOOLONG;
  // A restart in place goes on with what the last run had; and another process may have restored it already.
  if (stat_path(place.text, false, there) != 0) {
    plugin::make_known_folders(state.host, place.text, layer->folder_length + static_cast<uint32_t>(kPartLength), "");
    if (int error = copy_file(real.text, place, status, false)) return error;
  }
  tell_outside(path);
  return 0;
}

int take_folder(PathText &path, PathText &real, unsigned depth) {
  if (depth > kMaximumDepth) return -ELOOP;
  long fd = sys(SYS_openat, AT_FDCWD, real.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fd == -ENOENT ? 0 : static_cast<int>(fd);
  size_t path_length = path.length, real_length = real.length;
  int error = 0;
  alignas(8) char entries[1024];
  long size;
  while (error == 0 && (size = sys(SYS_getdents64, fd, entries, sizeof entries)) > 0) {
    for (long at = 0; at < size && error == 0;) {
      const auto *entry = reinterpret_cast<const plugin::KernelDirent *>(entries + at);
      at += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      struct statx status;
      if (!path.append("/", 1) || !path.append(entry->name) || !real.append("/", 1) || !real.append(entry->name)) error = -ENAMETOOLONG;
      // What belongs to a folder that is overlaid is found there.
      else if (top_layer(path) >= 0 || stat_path(real.text, false, status) != 0) error = 0;
      else if (S_ISDIR(status.stx_mode)) error = take_folder(path, real, depth + 1);
      else if (S_ISREG(status.stx_mode)) error = take_file(path, real, status);
      path.cut(path_length);
      real.cut(real_length);
    }
  }
  sys(SYS_close, fd);
  return error != 0 || size >= 0 ? error : static_cast<int>(size);
}

}  // namespace

void tell_outside(const PathText &path) { state.host->set_name(kOutside, hash_of(path.text, path.length), 1); }

bool told_outside(const PathText &path, PathText &real) {
  const Layer *layer = run_folder();
  return layer != nullptr && is_told_outside(path) && real.assign(layer->folder, layer->folder_length) && real.append(kPart) &&
         real.append(path.text);
}

bool from_outside(const char *real, size_t length, PathText &path) {
  const Layer *layer = run_folder();
  const char *rest = layer != nullptr ? below_outside(*layer, real, length) : nullptr;
  if (rest == nullptr) return false;
  size_t left = length - static_cast<size_t>(rest - real);
  return is_told(kOutside, hash_of(rest, left)) && path.assign(rest, left);
}

int32_t take_outside_over() {
  PathText path, real;
  const Layer *last = run_folder();
  const char *fresh = nullptr;
  // The last run had taken over what there was before.
  if (last != nullptr && state.host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &fresh) != nullptr) {
    const Layer *now = last;
    while (last != nullptr && is_below(last->folder, last->folder_length, now->folder, now->folder_length))
      last = last > state.layer ? last - 1 : nullptr;
  }
  if (last == nullptr || !real.assign(last->folder, last->folder_length) || !real.append(kPart)) return 0;
  int error = take_folder(path, real, 0);
  return error == 0 ? 0 : state.host->fail(error, real.text, "a file of an earlier run cannot be copied into this run's folder");
}

int32_t move_outside() {
  PathText real;
  const Layer *now = run_folder();
  for (const Entry *entry = now != nullptr ? newest() : nullptr; entry != nullptr; entry = entry->older) {
    if (entry->kind != Kind::kFile || entry->shadowed || find(Kind::kFile, entry->key, entry->key_length) != entry) continue;
    const char *rest = nullptr;
    for (uint32_t i = 0; i + 1 < state.layers && rest == nullptr; ++i)
      rest = below_outside(state.layer[i], entry->value, entry->value_length);
    if (rest == nullptr) continue;
    if (!real.assign(now->folder, now->folder_length) || !real.append(kPart) || !real.append(rest)) return -ENAMETOOLONG;
    if (int32_t error = map_file(entry->key, real.text)) return error;
  }
  return 0;
}

}  // namespace cairn::path
