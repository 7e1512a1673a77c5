// Shared mappings over a restart. Those of files are brought back by the plugins that claimed them; those without a name are one
// memory of all processes that have it: one of them makes it again, the others get it from there.
// Built like a plugin, for its barriers: `memory`, below all that uses files. Context: quiesced, restoring.
#pragma once
#include <cairn/plugin.h>

#include "checkpoint/memory_map.h"
#include "sys/error.h"

namespace cairn::agent {

/// [quiesced] The list of a checkpoint is begun anew.
void forget_shared_mappings();
/// [quiesced] Whether a plugin wants the content of a private mapping of a file to go with the snapshot.
bool content_goes_along(const checkpoint::Mapping& mapping);
/// [quiesced] Offers a shared mapping of a file to the plugins: true if one claimed it.
bool claim_shared_file(const checkpoint::Mapping& mapping, uint64_t device, uint64_t inode);
/// [quiesced] Notes the shared mappings that have no name.
bool note_shared_memory(const checkpoint::MemoryMap& map, sys::Error* error);

}  // namespace cairn::agent

extern "C" const struct cairn_plugin cairn_plugin_memory;
