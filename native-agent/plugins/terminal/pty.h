// The pseudo-terminals that the computation has made, as a checkpoint finds them: both ends of each are inside. Part of the image:
// static, filled when quiesced, read when restoring. The number N of /dev/pts/N is virtual (pty_names.cc).
//
// One process of those that have the master's end saves a terminal (the saver). A terminal that is the controlling one of a session
// is made by cairn-restore in the session's leader, any other by its saver; both hand the master's end to whoever keeps its
// open file description. Test: test/probes (terminal).
#pragma once
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "cairn/plugin.h"
#include "common/handles.h"
#include "common/pool.h"
#include "common/kernel.h"
#include "common/text.h"

namespace cairn::terminal {

/// What a read of the slave's end gives at once. In canonical mode a line, or what an end-of-file character ended.
struct Record {
  uint32_t size;
  bool ended;  // by an end-of-file character, which is not among the bytes; else by the last byte
};

/// What lies in a terminal and was not read yet.
struct Queues {
  const char* input;   // written to the master's end, not read from the slave's: all bytes, those of the half-typed line last
  uint32_t input_size;
  const Record* records;  // canonical mode; the bytes that no record holds are the half-typed line
  uint32_t record_count;
  const char* output;  // written to the slave's end (or echoed), not read from the master's
  uint32_t output_size;
};

/// Whether output is held back, and what lets it go on.
enum class Stopped : uint32_t { no, by_character, by_call };

struct Pty {
  int32_t number;
  int32_t master;   // descriptors of this process, or -1
  int32_t slave;
  bool saved_here;
  // saved_here:
  uint32_t master_flags;   // F_GETFL
  struct termios2 modes;
  struct winsize size;
  int32_t foreground;      // virtual group; 0: none
  uint32_t node_mode;      // permissions of /dev/pts/N
  bool locked;
  bool exclusive;
  bool packets;            // the master's reads are packets
  uint8_t packet_state;    // what the next of them would say; 0: nothing
  bool left;               // the slave's end was open, and is so no more: the master's end sees a hang-up
  bool untouched;          // the slave's end was never open
  Stopped stopped;
  Queues queues;
  // While restoring: the hidden master's end that this process hands out, or -1.
  int32_t handle;
};

inline constexpr uint32_t max_ptys = 1024;

struct Table {
  Pty ptys[max_ptys];
  uint32_t count;
  int32_t controlling;  // number of this process's controlling terminal; -1: none of the computation's
  bool leads;           // this process leads the session of that one
  int32_t foreground;   // leads: the virtual group in front of it
  bool detached;        // this process has no controlling terminal
};

extern const cairn_host* host;
extern Table table;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }
inline long control(long fd, unsigned long request, const void* argument) { return sys(SYS_ioctl, fd, static_cast<long>(request), pointer(argument)); }
inline long control(long fd, unsigned long request, long argument) { return sys(SYS_ioctl, fd, static_cast<long>(request), argument); }
inline const cairn_ids* ids() { return static_cast<const cairn_ids*>(host->extension("cairn.ids/1")); }

// Spaces of the shared names, by the terminal's number.
inline constexpr uint32_t masters = plugin::name_space("pty.master");  // → virtual pid that has the master's end
inline constexpr uint32_t slaves = plugin::name_space("pty.slave");    // → (virtual pid << 32) | descriptor of the slave's end
inline constexpr uint32_t savers = plugin::name_space("pty.saver");
inline constexpr uint32_t handles = plugin::name_space("pty.handle");  // while restoring, see common/handles.h

/// The virtual number of the terminal (/dev/pts/N) that a descriptor leads to, of either end or of /dev/tty; -1: of none, -EIO:
/// it was hung up.
int32_t number_of(long fd);
/// [quiesced] Whether the computation has both ends.
bool is_inside(int32_t number);

// pty_names.cc
/// [init, restoring] Names count: the computation was restarted.
void begin_names();
/// The terminal with this virtual number is now that one.
void name_terminal(int32_t number, int32_t real_number);
int32_t to_virtual(int32_t real_number);
int32_t to_real(int32_t number);
int32_t publish_names();

// pty_save.cc
void forget_ptys();
int32_t claim_end(cairn_descriptor* offer);
int32_t save_ptys();

// pty_queue.cc
/// Takes out what lies in the terminal. `slave`: -1, or an open file description of our own; `modes` are those of the application.
/// Output is not held back by packet mode. Notes whether it is stopped.
int32_t drain(Pty* pty, int32_t master, int32_t slave, plugin::Pool* pool);
/// Puts it back, and sets modes, stop and packet mode. The queues are empty and nothing is stopped.
int32_t refill(const Pty& pty, int32_t master, int32_t slave);

// pty_make.cc
/// What a token says of an open file description.
enum class End : uint32_t { master, slave, hung_up, own };
inline uint64_t token_of(End end, int32_t number) { return (static_cast<uint64_t>(end) << 32) | static_cast<uint32_t>(number); }
inline End end_of(const cairn_descriptor& one) { return static_cast<End>(one.token >> 32); }
inline int32_t number_in(const cairn_descriptor& one) { return static_cast<int32_t>(one.token & 0xffffffff); }

/// [restoring] Before any descriptor is there: takes over what cairn-restore made.
int32_t adopt_terminal();
int32_t make_ptys();
int32_t set_foreground();
int32_t open_end(cairn_descriptor* wanted);
int32_t refill_ptys();
void close_handles();

}  // namespace cairn::terminal
