// See events/entries.h.
#include "events/entries.h"

#include <errno.h>

namespace cairn::events {

uint32_t entry_size() { return 0; }
int32_t prepare_entry(cairn_entry*) { return -ENOTSUP; }
int32_t change_entry(cairn_entry*) { return -ENOTSUP; }
bool stands_in_front(const cairn_entry&) { return false; }
void put_entry_back(cairn_entry*) {}

}  // namespace cairn::events
