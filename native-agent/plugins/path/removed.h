// What the processes of a restarted computation tell each other of the overlay: which names were removed. Links in the run folder,
// named by a hash, lead to the virtual paths. Any context; no libc.
#pragma once
#include "path_text.h"

namespace cairn::path {

/// This process has removed what the lower layers have there.
void tell_removed(const PathText &path);
/// Whether some process has removed `path` (its first `length` bytes) from the layers below the run folder.
bool told_removed(const PathText &path, size_t length);
/// Whether some process has removed anything from them.
bool any_told_removed();
/// [quiesced] Takes into the table, and so into the image, what others have removed.
void learn_removed();

}  // namespace cairn::path
