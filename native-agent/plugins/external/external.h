// Connections that leave the computation and that a plugin takes off and brings back. A record is in the process that brings the open
// file description back; it is part of the image: filled when quiesced, read when restoring. Test: test/probes/external.test.ts
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cairn/plugin.h"
#include "common/handles.h"
#include "common/kernel.h"
#include "common/pool.h"
#include "common/text.h"

namespace cairn::external {

inline constexpr uint32_t name_size = 32;
inline constexpr uint32_t max_records = 256;

struct Record {
  cairn_external facts;  // its texts and the state are in the pool
  uint64_t device;
  uint64_t inode;
  int32_t layer;         // of the plugin that has taken it off; -1: none wanted it
  bool away;             // taken off, and not back yet
  int32_t old;           // while it is: a hidden descriptor of it
};

extern const cairn_host* host;
extern Record records[max_records];
extern uint32_t record_count;

using plugin::Text;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }

// ---- marks.cc: [any] what a plugin has said of a descriptor, for all processes, by what it leads to -----------------------------
int32_t mark(int32_t fd, const char* name);
int32_t unmark(int32_t fd);
int32_t marked(int32_t fd, char* name, uint32_t capacity);

// ---- records.cc ------------------------------------------------------------------------------------------------------------
/// [running] An operation begins.
void forget_records();
/// As in cairn_externals. [quiesced], then [restoring]
int32_t save(cairn_external* connection, uint64_t* token);
int32_t restore(uint64_t token);
int32_t restored(uint64_t token, int32_t fd);
/// [restoring] What was true of the process that the image is of.
void begin_restart();

// ---- replace.cc: [quiesced] The edges on which the run goes on ------------------------------------------------------------------
/// A record's connection was taken off: whoever shares it will look for what becomes of it.
int32_t tell_away(Record* record);
/// How many processes have this open file description, this one among them.
uint32_t sharers(int32_t fd);
/// Has the plugins bring back what they took off, and takes over what others bring back. 0, or the first failure.
int32_t come_back(bool aborted);

}  // namespace cairn::external
