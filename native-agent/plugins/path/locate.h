// Where the object with a given canonical virtual path really is: mapped files, then the layers of the run folder, then prefix
// maps. Any context. The rules and their precedence are here; symbolic links and ".." are walk.cc's.
#pragma once
#include <linux/stat.h>

#include "path_text.h"

namespace cairn::path {

enum class Where : uint8_t {
  kNone,    // no rule: the virtual path is the real one
  kPrefix,  // a prefix map
  kFile,    // a mapped file
  kTop,     // in the run folder of this run
  kLower,   // overlaid, and found only below: in an earlier run's folder or at the original place. Must not be changed there
  kAbsent   // overlaid, and there is none; `real` is where it would be made
};

struct Found {
  Where where = Where::kNone;
  int32_t layer = kOriginal;  // kTop, kLower: in which layer
  int32_t error = 0;          // -errno if it is not there
  uint32_t mode = 0;          // st_mode, links not followed
  uint64_t device = 0, inode = 0;
  PathText real;

  static constexpr int32_t kOriginal = -1;
};

/// `path` is absolute, canonical, "" for the root. Looks the object up (one lstat for each layer that may have it). 0 or -ENAMETOOLONG.
int locate(const PathText &path, Found &found);
/// The same without mapped files: only layers and prefixes.
int locate_overlay(const PathText &path, Found &found);

/// The layer that takes what is written at this path, or -1: it is not overlaid.
int32_t top_layer(const PathText &path);
/// The real path in one layer (kOriginal: below all). 0 or -ENAMETOOLONG.
int layer_path(int32_t layer, const PathText &path, PathText &real);
/// Whether this process knows that the path's first `length` bytes were removed in `layer`.
bool hidden_in_table(int32_t layer, const PathText &path, size_t length);
/// Whether something made in or above `layer` hides what lies below it.
bool hidden_below(int32_t layer, const PathText &path);
/// The next lower layer in which the path can be: `layer` counts down to kOriginal; false: there is none.
bool next_layer(const PathText &path, int32_t &layer);
/// From now on nothing of the layers below the top one is seen at this path or below it. 0 or -ENOMEM.
int hide(const PathText &path);

/// Prefix maps only. 0 (real is path if none applies) or -ENAMETOOLONG.
int apply_prefix(const PathText &path, PathText &real);
/// Whether a rule begins at exactly this virtual path.
bool is_rule_root(const PathText &path);
/// Whether a rule begins here or below: a folder that may not be moved or removed.
bool holds_rule_root(const PathText &path);
/// real → virtual, by all rules in reverse. 0 or -ENAMETOOLONG.
int to_virtual(const char *real, size_t length, PathText &path);

/// lstat or stat by statx. 0 or -errno.
int stat_path(const char *real, bool follow, struct statx &status);

}  // namespace cairn::path
