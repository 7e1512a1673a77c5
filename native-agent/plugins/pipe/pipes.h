// The pipes and FIFOs of this process as a checkpoint finds them. All open file descriptions of one pipe have one device and
// inode; one process of those that have an end saves the content and makes the pipe again. Part of the image: static, filled
// when quiesced, read when restoring.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cairn/plugin.h"
#include "common/handles.h"
#include "common/kernel.h"
#include "common/pool.h"
#include "common/text.h"

namespace cairn::pipe {

struct Pipe {
  uint64_t device;
  uint64_t inode;
  uint32_t mode;
  int32_t fd;          // some end; and one that can read, or -1
  int32_t reader;
  uint32_t capacity;   // F_GETPIPE_SZ
  bool named;          // a FIFO
  bool deleted;
  bool packet_writer;  // an end here has O_DIRECT
  bool made_here;      // this process saves the content, and makes the pipe at a restart
  const char* path;    // of a FIFO: virtual
  // made_here: the content; of a pipe in packet mode it is in records of these lengths, else one.
  const char* content;
  uint32_t* lengths;
  uint32_t records;
  bool packets;
  // While restoring: hidden descriptors of both ends; of a FIFO only one for reading, at [0].
  int32_t handles[2];
  bool made;           // by this restart, in this process, where no FIFO was
};

inline constexpr uint32_t max_pipes = 4096;

struct Table {
  Pipe pipes[max_pipes];
  uint32_t count;
  char folder[4096];  // virtual working folder
};

extern const cairn_host* host;
extern Table table;

/// How the kernel marks what was opened by a name (on x86-64 libc's O_LARGEFILE is 0); pipe(2) does not. In a 32-bit program that is
/// so only where it asked for large files: there each end is made by a name, which nothing else shows.
inline constexpr uint32_t opened_by_name = 0100000;
inline constexpr bool always_by_name = sizeof(void*) == 4;

/// Added to the token of an end that has seen its last writer go.
inline constexpr uint64_t hang_up = uint64_t{1} << 32;
inline Pipe* pipe_of(const cairn_descriptor& end) { return &table.pipes[end.token & (hang_up - 1)]; }

using plugin::Text;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }
inline int64_t key_of(const Pipe& pipe) { return plugin::file_key(pipe.device, pipe.inode); }
inline const cairn_paths* paths() { return static_cast<const cairn_paths*>(host->extension("cairn.paths/1")); }

/// [running] An operation begins.
void forget_pipes();
/// [quiesced] Takes an open file description: 1 if it is an end of a pipe.
int32_t claim_end(cairn_descriptor* offer);
/// [quiesced] When all processes know their ends.
int32_t save_contents();

/// [restoring] Makes what this process has to make, with its content.
int32_t make_pipes();
/// The restart comes to nothing.
void remove_made();
/// [restoring] Sets the descriptor's fd.
int32_t open_end(cairn_descriptor* wanted);
/// [restoring] All ends are there: those that are open for the restart only are closed.
int32_t close_handles(const cairn_descriptor& end);

/// [restoring] Calls of open that wait for the other end of a FIFO.
void lead_waiting_opens();
/// [restoring] What the run folder stands for: the computation's working folder.
const char* common_folder();
/// [restoring] Where the FIFO goes in this run.
int32_t place_of(const Pipe& pipe, char* path, uint32_t capacity);

}  // namespace cairn::pipe
