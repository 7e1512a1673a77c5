#include "removed.h"

#include <errno.h>

#include "common/handles.h"
#include "common/text.h"
#include "locate.h"
#include "mapping.h"
#include "state.h"
#include "table.h"
#include "told.h"

namespace cairn::path {
namespace {

// Space of the shared names: hash of a virtual path → 1. Key 0: something was removed.
constexpr uint32_t kRemoved = plugin::name_space("path removed");

bool removed_folder(PathText &folder) {
  const Layer *layer = run_folder();
  return layer != nullptr && folder.assign(layer->folder, layer->folder_length) && folder.append("/.cairn/removed");
}

}  // namespace

void tell_removed(const PathText &path) {
  PathText link;
  const Layer *layer = run_folder();
  if (layer == nullptr || !link.assign(layer->folder, layer->folder_length)) return;
  static constexpr const char *kParts[] = {"/.cairn", "/removed"};
  for (const char *part : kParts) {
    if (!link.append(part)) return;
    sys(SYS_mkdirat, AT_FDCWD, link.text, 0777);
  }
  int64_t hash = hash_of(path.text, path.length);
  if (!link.append("/") || !link.append_number(static_cast<uint64_t>(hash))) return;
  sys(SYS_symlinkat, path.text, AT_FDCWD, link.text);
  state.host->set_name(kRemoved, hash, 1);
  state.host->set_name(kRemoved, 0, 1);
}

bool any_told_removed() { return is_told(kRemoved, 0); }

bool told_removed(const PathText &path, size_t length) {
  return any_told_removed() && is_told(kRemoved, hash_of(path.text, length));
}

void learn_removed() {
  PathText folder, path;
  if (!any_told_removed() || !removed_folder(folder)) return;
  long fd = sys(SYS_openat, AT_FDCWD, folder.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  alignas(8) char entries[4096];
  long size;
  int32_t layer = static_cast<int32_t>(state.layers) - 1;
  while ((size = sys(SYS_getdents64, fd, entries, sizeof entries)) > 0) {
    for (long at = 0; at < size;) {
      auto *entry = reinterpret_cast<plugin::KernelDirent *>(entries + at);
      at += entry->length;
      long length = sys(SYS_readlinkat, fd, entry->name, path.text, PathText::size - 1);
      if (length <= 0) continue;  // "." and ".."
      path.cut(static_cast<size_t>(length));
      if (!hidden_in_table(layer, path, path.length)) (void)insert(Kind::kWhiteout, path.text, path.length, "", layer, "", now_ns(), false);
    }
  }
  sys(SYS_close, fd);
}

}  // namespace cairn::path
