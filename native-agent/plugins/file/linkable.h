// Files that never had a name (O_TMPFILE) and may be given one by linkat(2): a restart makes them so again, since the kernel gives no name
// to a file that has lost its own. Context: restoring.
#pragma once
#include <stdint.h>

#include "descriptors.h"

namespace cairn::file {

/// Makes the file of this index of the table in a folder, empty, for whoever has it: a descriptor for its content; -ENOENT: another
/// process makes it, or the file system has no such files.
int32_t make_linkable(uint32_t index, const char* folder);
/// Opens it; -ENOENT: it is none.
int32_t open_linkable(uint32_t index, uint32_t flags);
/// All descriptors are there.
void end_linkable();

}  // namespace cairn::file
