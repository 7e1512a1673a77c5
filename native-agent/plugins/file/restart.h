// Brings files back in a restarted process. Context: restoring.
#pragma once
#include <stdint.h>

namespace cairn::file {

/// Puts the contents that were kept to their places.
int32_t restore_contents();
/// A new descriptor of a file of the table, at its offset.
int32_t open_again(uint32_t file);
/// A descriptor by which a file of the table can be mapped shared; *close: it is for this only.
int32_t open_for_mapping(uint32_t file, uint32_t protection, uint32_t* close);
/// Unlinked files have had names on the way.
void remove_unlinked();

}  // namespace cairn::file
