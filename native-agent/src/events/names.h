// Names that the processes of a computation on one host share: a table (space, key) → value in a file of the session's runtime
// folder of this host, which every agent maps. It is gone with the session and never in an image: what a restart needs is put there anew.
// [any], lock-free: an entry is claimed by compare-and-swap and read only once it is whole. Test: tests/names_test.cc.
#pragma once
#include <stdint.h>

#include "sys/error.h"

namespace cairn::events {

/// Maps the file `folder`/names of the runtime folder in which the agent's socket lies. Without it every look-up finds nothing.
sys::Status map_names(const char* agent_socket);
/// In a restarted process: the mapping of before is not there.
void forget_names();
/// Which of the computation's hosts this is; 0: its first, or no table.
uint32_t host_number();
/// Where the table is mapped: no part of the application's memory.
void names_extent(uint64_t* start, uint64_t* end);

/// Sets or replaces. -ENOSPC: the table is full; -ENOENT: there is no table.
int32_t set_name(uint32_t space, int64_t key, int64_t value);
/// Sets what nobody has set: 0, or -EEXIST and the value that is there.
int32_t claim_name(uint32_t space, int64_t key, int64_t value, int64_t* holder);
int32_t get_name(uint32_t space, int64_t key, int64_t* value);
int32_t remove_name(uint32_t space, int64_t key);
/// The first entry of a space at or behind *index, which is moved behind it. -ENOENT: there is none any more.
int32_t next_name(uint32_t space, uint32_t* index, int64_t* key, int64_t* value);

}  // namespace cairn::events
