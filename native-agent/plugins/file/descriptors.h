// The descriptors of the process as a checkpoint finds them: which share an open file, what stands behind each, and what a
// restart needs to open it again. Part of the image: static, filled when quiesced, read when restoring.
#pragma once
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"
#include "common/text.h"

namespace cairn::file {

enum class Kind : uint32_t {
  stdio,      // what the root process was started with as 0, 1 or 2: another restart has others
  regular,    // a file by its path, only read: must be there unchanged
  kept,       // a file whose content goes with the snapshot
  directory,
  device,     // /dev/null and its like, /dev/tty
  inherited,  // a pipe or socket that the root process was started with: its other side is outside the computation
};

/// One open file, with all its descriptors behind it.
struct OpenFile {
  Kind kind;
  int32_t descriptor;     // the lowest
  uint32_t status_flags;  // F_GETFL
  uint32_t stdio;         // kind stdio and inherited: the number that it had at the start
  int32_t kept;           // kind kept: number of the kept file
  uint32_t mode;          // st_mode
  uint64_t offset;
  uint64_t size;
  uint64_t mtime_ns;
  uint64_t device;
  uint64_t inode;
  bool unlinked;
  const char* path;       // virtual
};

struct Descriptor {
  int32_t number;
  uint32_t file;          // index of its OpenFile
  uint32_t fd_flags;      // F_GETFD
};

inline constexpr uint32_t max_descriptors = 4096;

struct Table {
  OpenFile files[max_descriptors];
  uint32_t file_count;
  Descriptor descriptors[max_descriptors];
  uint32_t descriptor_count;
  char folder[4096];  // virtual working folder at the checkpoint
};

extern const cairn_host* host;
extern Table table;

using plugin::Text;

inline long sys(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  return host->syscall(number, a, b, c, d, e, f);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }

/// [init] Remembers what the process was started with.
void remember_inherited();
/// [restoring] The same for a restarted process: what stands for those descriptors now.
void remember_replaced();
/// [quiesced] Fills the table; does not keep any content yet.
int32_t read_descriptors();
/// [quiesced] Takes a shared mapping of a file that no descriptor is open for any more: 1 when it can be brought back.
int32_t claim_unopened(cairn_mapping* mapping);
/// [running, quiesced] The rows of table "fd".
void rows(const char* name, cairn_emit_row emit, void* context);
/// What the kernel shows for a descriptor: the length or -errno. deleted: set when the name is no more.
long path_of(int32_t descriptor, char* path, uint32_t capacity, bool* deleted);
/// For people: "file", "socket", …
const char* kind_name(uint32_t mode, const char* path);
/// Calls visit(number) for each descriptor that is not Cairn's own; stops when it returns a negative value, and returns that.
int32_t for_each_descriptor(int32_t (*visit)(int32_t number, void* context), void* context);

}  // namespace cairn::file
