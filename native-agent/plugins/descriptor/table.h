// The open descriptors of this process as a checkpoint finds them: which share an open file description, here and with other
// processes of the computation, and which plugin owns each. Part of the image: static, filled when quiesced, read when restoring.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/text.h"

namespace cairn::descriptor {

enum class Place : uint32_t {
  inside,    // of the computation: a plugin brings it back
  standard,  // one of the first process's 0, 1 and 2: another restart has others
  input,     // the first process's 0, where that is a file to be read: a restart that is given no other file goes on in it
  inherited, // a pipe or socket that the first process was started with: its other side is outside the computation
};

/// One open file description, with all its descriptors behind it.
struct OpenFile {
  Place place;
  int32_t layer;         // place inside: of the plugin that claimed it
  int32_t fd;            // the lowest descriptor here
  int32_t keeper;        // virtual pid of the process that brings it back, and its lowest descriptor there
  int32_t keeper_fd;
  int32_t standard;      // place standard: 0, 1 or 2
  uint32_t status_flags;
  uint32_t mode;
  uint64_t device;
  uint64_t inode;
  uint64_t rdev;
  uint64_t token;
  struct f_owner_ex owner;  // who gets its signals; a virtual id
  int32_t owner_signal;
  bool deleted;
};

struct Descriptor {
  int32_t number;
  uint32_t file;      // index of its OpenFile
  uint32_t fd_flags;  // F_GETFD
};

inline constexpr uint32_t max_descriptors = 4096;

struct Table {
  OpenFile files[max_descriptors];
  uint32_t file_count;
  Descriptor descriptors[max_descriptors];
  uint32_t descriptor_count;
};

extern const cairn_host* host;
extern Table table;

using plugin::Text;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }

/// What a plugin is told of a file, without its path.
cairn_descriptor describe(const OpenFile& file, bool kept_here);
/// [quiesced] Fills the table, and tells the others what the descriptors lead to.
int32_t read_table();
/// [quiesced] When all have: finds who keeps what, and offers each open file description to the plugins.
int32_t settle_table();
/// [quiesced] Tells what the files are, for find_keepers; and takes it back.
int32_t tell_objects();
void forget_objects();
/// [restoring] What was told is gone with the computation of before.
void forget_told_before();
/// [quiesced] Finds out which of the files another process with a lower id brings back.
int32_t find_keepers();

/// [init] The first process of the computation notes what it was started with; others come to know it.
void note_outside();
/// [restoring] The same in the first process of a restarted computation, once its descriptors are back.
void note_outside_again();
/// Which of the first process's own descriptors stands for the same thing; -1: none.
int32_t outside_descriptor(int32_t number, const struct stat64& status);

/// [restoring] The three steps, with a barrier after each.
int32_t begin_restore();
int32_t make_kept();
int32_t take_shared();
int32_t fill();
/// [running] Nothing is taken from this process any more.
void end_restore();

/// [running, quiesced] The rows of table "fd".
void rows(const char* name, cairn_emit_row emit, void* context);
/// What the kernel shows for a descriptor: the length or -errno. deleted: set when the name is no more.
long path_of(int32_t descriptor, char* path, uint32_t capacity, bool* deleted);
/// For people: "file", "socket", …
const char* kind_name(uint32_t mode, const char* path);
/// Calls visit(number) for each descriptor of the process with this real id (0: this one) that is not Cairn's own; stops when it
/// returns a negative value, and returns that.
int32_t for_each_descriptor(int32_t real_pid, int32_t (*visit)(int32_t number, void* context), void* context);

}  // namespace cairn::descriptor
