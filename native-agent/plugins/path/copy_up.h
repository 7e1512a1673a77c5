// Bringing files and folders from a lower layer into this run's folder. Any context: raw system calls, no allocation. A file
// appears under its name only when it is whole, so that two threads cannot see half of one.
#pragma once
#include "locate.h"

namespace cairn::path {

/// Copies one object (file, link; a folder without its content) to the top layer. `status` is that of `real`, whose link is
/// followed if it says that it is no link. truncate: an empty file. 0, also when it is already there, or -errno.
int copy_up(const PathText &path, const char *real, const struct statx &status, bool truncate);
/// Copies a regular file to a place of which the folder is there. 0, also when something is there already, or -errno.
int copy_file(const char *real, const PathText &top, const struct statx &status, bool truncate);
/// Makes the folders above a path in the top layer as they are below. -ENOENT, -ENOTDIR: there are none.
int make_parents(const PathText &path);
/// Copies a folder with all that is visible below it. -EXDEV: too deep.
int copy_tree(PathText &path, unsigned depth = 0);
/// 1: the folder shows something that is only in a lower layer; 0: no; -errno.
int has_lower_entries(const PathText &folder);

}  // namespace cairn::path
