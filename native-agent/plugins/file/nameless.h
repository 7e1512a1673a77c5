// Owns: files without a name at a restart: those that have lost it, and those that never had one (O_TMPFILE), which may be given one by
// linkat(2). They are made without a name, so that none stays behind where a restart fails. Context: restoring.
#pragma once
#include <stdint.h>

#include "descriptors.h"

namespace cairn::file {

/// It never had a name. (The kernel gives no name to a file that has lost its own.)
bool is_linkable(const OpenFile& file);
/// Makes the file of this index of the table in a folder, empty, for whoever has it: a descriptor for its content; -EEXIST: it is made
/// already, or another process makes it; -ENOENT: the file system has no such files, and this process is to do it in another way.
int32_t make_nameless(uint32_t index, const char* folder);
/// Opens it; -ENOENT: it is none. `place`: a path beside which it may have a name for a moment.
int32_t open_nameless(uint32_t index, uint32_t flags, const char* place);
/// All descriptors are there.
void end_nameless();

}  // namespace cairn::file
