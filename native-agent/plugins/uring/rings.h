// The io_uring instances of this process as a checkpoint finds them, and what the parts of the plugin `uring` offer each other. Part of
// the image: filled when quiesced, read when restoring; the notes on set-ups (calls.cc) live as long as the process.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"
#include "common/handles.h"
#include "common/pool.h"
#include "common/kernel.h"
#include "common/text.h"

// What older headers do not know.
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
#ifndef IORING_SETUP_NO_MMAP
#define IORING_SETUP_NO_MMAP (1U << 14)
#endif
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY (1U << 16)
#endif

namespace cairn::uring {

using plugin::Text;
using Parameters = struct io_uring_params;

/// What the application has asked for, of one instance; the kernel does not tell it again.
struct SetUp {
  uint64_t inode;         // 0: free
  uint32_t entries;
  Parameters parameters;  // as the kernel answered
  int32_t events;         // descriptor of the eventfd that is told of completions; -1: none
  bool events_async;
  bool enabled;           // of one that was set up disabled
  int32_t kept;           // registrations that cannot be made again: how many there are,
  const char* lasting;    // and a kind that stays for ever; NULL: none
};

/// One instance at a checkpoint.
struct Ring {
  SetUp set_up;
  uint64_t device;
  uint64_t inode;
  int32_t fd;            // -1: this process has it mapped only
  bool elsewhere;        // another process brings it back
  uint32_t head, tail;   // of the submission queue; head: also what the kernel has taken
  uint32_t completions;  // how many the kernel has told
  char* queues;          // content of the two mappings
  char* entries;
  int32_t handle;        // while restoring
};

inline constexpr uint32_t max_rings = 1024;

extern const cairn_host* host;
extern Ring rings[max_rings];
extern uint32_t ring_count;
extern plugin::Pool pool;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }
inline void copy_bytes(void* to, const void* from, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
}
inline uint64_t whole_pages(uint64_t size) { return (size + 4095) & ~uint64_t{4095}; }
inline bool has_array(const Parameters& parameters) { return (parameters.flags & IORING_SETUP_NO_SQARRAY) == 0; }
inline uint64_t entry_size(const Parameters& parameters) { return (parameters.flags & IORING_SETUP_SQE128) != 0 ? 128 : 64; }
inline uint64_t completion_size(const Parameters& parameters) { return (parameters.flags & IORING_SETUP_CQE32) != 0 ? 32 : 16; }
inline uint64_t entries_size(const Parameters& parameters) { return whole_pages(parameters.sq_entries * entry_size(parameters)); }
/// Of the mapping with both queues.
inline uint64_t queues_size(const Parameters& parameters) {
  uint64_t size = parameters.cq_off.cqes + parameters.cq_entries * completion_size(parameters);
  uint64_t array = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
  return whole_pages(has_array(parameters) && array > size ? array : size);
}
inline uint32_t& word(char* queues, uint32_t offset) { return *reinterpret_cast<uint32_t*>(queues + offset); }

int32_t fail(int64_t error, const Ring& ring, const char* what);
Ring* find_ring(uint64_t device, uint64_t inode);

// ---- calls.cc: what the application sets up. [any] ----------------------------------------------------------------------------
/// False: nothing is known of it.
bool find_set_up(uint64_t inode, SetUp* found);
/// [restoring] The instance that this descriptor is now was set up so.
void note_again(int32_t fd, const SetUp& set_up);
void forget_set_ups();
extern const cairn_rings functions;

// ---- save.cc [quiesced], restore.cc [restoring] ---------------------------------------------------------------------------------
/// 1: it is one; -errno: it cannot be saved, which has been said.
int32_t save_ring(cairn_descriptor* offer);
int32_t claim_mapping(cairn_mapping* mapping);
int32_t make_ring(Ring* ring);
/// mapping.cc. 0 or -errno.
int64_t map_there(const cairn_mapping& mapping, int32_t fd);

}  // namespace cairn::uring
