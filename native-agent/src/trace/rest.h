// What is left of a call that a stop has cut short: which call, of which kind, and when it is whole. Told by the process that stops the
// threads, which can look at what the call is about (rest_plan.cc); made by the thread itself (rest_of_call.cc), which knows nothing but
// this word and the call's arguments, also in a restart.
// System calls are named as x86-64 has them; where a processor packs arguments into memory, its folder unpacks them.
// Test: test/probes/pipes/cut_short.c, terminal/cut_reads.c, blocking/cut_short.c, sockets/cut_messages.c.
#pragma once
#include <stdint.h>
#include <sys/uio.h>

namespace cairn::trace {

enum class Kind : uint8_t {
  writes,             // to a pipe, terminal or device
  sends,              // on a stream socket
  receives,           // from a stream socket, until there are `target` bytes
  reads_terminal,     // until there are `target` bytes, or none has come for `pause` tenths of a second
  reads_device,       // of bytes that never end
  takes_random,       // getrandom
  sends_messages,     // sendmmsg
  receives_messages,  // recvmmsg
  sends_file,         // sendfile to what waits
  splices,            // from a pipe to what waits
};

struct Rest {
  uint16_t number;
  Kind kind;
  uint8_t pause;
  uint32_t confined : 1;  // a filter of system calls: no other call than the one that was cut short
  uint32_t target : 31;   // 0: all
};
static_assert(sizeof(Rest) == sizeof(uint64_t));

/// A call with its arguments.
struct Call {
  long number;
  uint64_t arguments[6];
};

/// The bytes of a call.
struct Parts {
  const struct iovec* list;
  uint64_t count;
  struct iovec one;  // of a call with one buffer
  uint64_t flags;    // of send and recv, else 0
};

/// False: a call of another kind. Reads the caller's header of messages, as it is now.
bool parts_of(const Call& call, Parts* parts);

/// [tracer] Of a stopped thread whose call gave `done`: true: a stop has cut it short, and `rest` is what is left.
bool plan_rest(int32_t process, int32_t tid, const Call& call, int64_t done, Rest* rest);

/// [the stopped thread] Makes the rest: the whole count. What ends it early (an error, the other end's close) shows at the next call, as it
/// would after the kernel's own short count.
int64_t make_rest(const Rest& rest, const Call& call, int64_t done);

}  // namespace cairn::trace
