// A request, as it was asked, and the answer that is being written. One at a time.
//
// A request's text: lines of fields with a tab between them. The first line is one of
//   look                          is it a simulation at all?
//   list OFFSET LIMIT PATTERN     design signals, in the order in which the simulator has them
//   scope OFFSET LIMIT NAME       what is directly in a scope: first all scopes, then signals; of a memory its words; "": the top
//   instances OFFSET LIMIT MODULE scopes of this definition, of the whole design; "": all
//   read                          and for each signal a line: NAME
//   write [hold]                  and for each signal a line: set|force NAME VALUE, or release NAME; hold: the computation is held after it
//   watch                         and for each signal a line: NAME OPERATOR VALUE, OPERATOR one of any == != < <= > >=, in place of those
//                                 of before: a change after which that is so holds the computation
// VALUE: see fit_value; or of a real "r" and a number. An answer's:
//   time TICKS EXPONENT           a tick is 10^EXPONENT seconds
//   simulator icarus|verilator
//   scope NAME SCOPES SIGNALS MODULE           how many of each are directly in it; MODULE: "" where the simulator does not tell
//   total SCOPES SIGNALS                       of what was asked for
//   signal NAME KIND WIDTH LEFT RIGHT VALUE    bits, of a real a number behind "r", "" where there is none (a memory)
//   missing NAME
//   more OFFSET                   there are others from there on
//   written NAME WHAT BEFORE AFTER WHY         WHAT: effective, overwritten, impossible
//   watched NAME WHY              WHY: "" where it is
// Context: Cairn's own thread until the simulation's has taken it up.
#pragma once
#include <cairn/plugin.h>

#include "hdl/program.h"

namespace cairn::hdl {

inline constexpr uint32_t most_writes = 64;
inline constexpr uint32_t most_bits = 8192;  // of a value that is shown or written

enum class Action : uint32_t { set, force, release };

struct Write {
  Action action;
  const char* name;
  const char* value;
  // By the simulation's thread.
  Handle object;
  uint32_t width;
  int64_t bit;         // of the vector, from its least significant one; -1: all of it
  bool is_real;
  const char* why;     // impossible; nullptr: it is not
  char* before;
  char* wanted;
  char* after;
};

enum class What : uint32_t { list, scope, instances, read, write, watch };

struct Request {
  What what;
  bool holds;           // after a write
  uint64_t offset;
  uint64_t limit;
  const char* pattern;  // or the name of a scope or module
  uint32_t count;       // of lines
  Write write[most_writes];  // of `read` the name alone; of `watch` name and value, and the operator in its place
  const char* operation[most_writes];
};

Request& request();
/// Copies and reads it. 0, or -errno, and host->fail has said why.
int32_t read_request(const cairn_host* host, const cairn_request& from);

/// The answer. False: it does not fit any more.
void begin_answer();
bool add_line(const char* const* fields, uint32_t count, uint64_t reserved = 0);
const char* answer_text(uint64_t* size);
/// The answer was written in a copy of the process (host->in_copy), by way of these.
inline constexpr uint64_t largest_answer = 256 * 1024;
void* answer_place();
void take_answer(uint64_t size);
/// Memory for texts until the next request; nullptr: there is none.
char* room_for(uint64_t size);

}  // namespace cairn::hdl
