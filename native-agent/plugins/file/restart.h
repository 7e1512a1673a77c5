// Opens everything again in a restarted process. Context: restoring.
#pragma once
#include <stdint.h>

namespace cairn::file {

int32_t reopen_descriptors();
/// A descriptor by which a file of the table can be mapped shared; *close: it is for this only.
int32_t open_for_mapping(uint32_t file, uint32_t protection, uint32_t* close);

}  // namespace cairn::file
