// The open files of the process as a checkpoint finds them, and what a restart needs to open them again. Part of the image:
// static, filled when quiesced, read when restoring.
#pragma once
#include <sys/stat.h>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/text.h"
#include "rules.h"

namespace cairn::file {

enum class Kind : uint32_t {
  regular,    // a file by its path, only read: must be there unchanged
  kept,       // a file whose content goes with the snapshot
  directory,
  device,     // /dev/null and its like
};

struct Attribute;

/// One open file description, or a file that is only mapped any more.
struct OpenFile {
  Kind kind;
  int32_t descriptor;     // the lowest; -1: only mapped
  uint32_t status_flags;  // F_GETFL
  int32_t kept;           // kind kept: number of the kept file
  uint32_t mode;          // st_mode
  uint64_t offset;
  uint64_t size;
  uint64_t mtime_ns;
  uint64_t device;
  uint64_t inode;
  uint64_t shown_device;  // as the application knows the file
  uint64_t shown_inode;
  bool unlinked;
  bool elsewhere;         // another process brings it back
  Rule rule;
  const char* path;       // virtual
  const Attribute* attributes;  // kind kept
  const char* real;       // where it was; nullptr: at its virtual path
};

inline constexpr uint32_t max_files = 4096;

struct Table {
  OpenFile files[max_files];
  uint32_t file_count;
  char folder[4096];  // virtual working folder at the checkpoint
};

extern const cairn_host* host;
extern Table table;

using plugin::Text;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }
inline uint64_t change_time(const struct stat64& status) {
  return static_cast<uint64_t>(status.st_mtim.tv_sec) * 1000000000u + static_cast<uint64_t>(status.st_mtim.tv_nsec);
}

/// How the processes of the computation write to a file, the claimed ones of all processes considered.
enum class Written : uint32_t { never, at_its_end, anywhere };
Written written(const OpenFile& file);

/// Keeps a path until the next checkpoint begins; nullptr: they are too long altogether.
const char* remember_path(const char* path);

/// [running] An operation begins: the table is empty.
void forget_files();
/// [quiesced] Takes an open file description: 1 if it is a file.
int32_t claim_file(cairn_descriptor* offer);
/// [quiesced] Whether the content of a private mapping of a file goes with the snapshot.
bool goes_along(const cairn_mapping& mapping);
/// [quiesced] Takes a shared mapping of a file that no descriptor is open for any more: 1 when it can be brought back.
int32_t claim_unopened(cairn_mapping* mapping);

}  // namespace cairn::file
