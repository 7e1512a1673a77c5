// Reads and writes design signals by VPI. Context: the simulation's thread, where the simulator permits it (safe_point.h).
#pragma once
#include "hdl/request.h"

namespace cairn::hdl {

/// The answer to a request that only reads.
void answer_reads(const Program& program);
void list_signals(const Program& program);
void list_scope(const Program& program);
void list_instances(const Program& program);
void read_signals(const Program& program);

/// All writes of the request, and what is there right after each.
void write_signals(const Program& program);
/// At the end of the time step: the answer.
void answer_writes(const Program& program);

// ---- Of one object, for the two above --------------------------------------------------------------------------------------

/// Of a name with its zero at the end.
constexpr uint64_t longest_name = 4096;

enum class Kind : uint32_t { none, vector, real, memory };
/// And how the answer names it.
Kind kind_of(const Program& program, Handle object, const char** name);
/// A variable of an automatic task or function: of each call its own, and none in between. Icarus ends the program that asks for its value.
bool is_automatic(const Program& program, Handle object);
/// Verilator's: what its models have in common; nullptr: it is not known.
const void* context_of(const Program& program);
/// Bits, or "r" and a number; false: there is no value, or it is too wide, and `text` is "".
bool read_value(const Program& program, Handle object, Kind kind, uint32_t width, char* text, uint64_t capacity);
/// Older versions of Verilator's VPI write no reals.
bool can_write_real(const Program& program, Handle object);
/// The range of a vector or of a memory's words.
bool read_range(const Program& program, Handle object, int32_t* left, int32_t* right);
/// Also by a name that has a point in it, as Icarus tells it: `tb.u.q` may be `\u.q ` in `tb`, which VPI does not find by that.
Handle find_named(const Program& program, const char* name);
/// Of NAME[INDEX]: the object that NAME is, and the index. nullptr: it has no index, or there is no such object.
Handle find_before_index(const Program& program, const char* name, int32_t* index);
/// What vpi_handle_… gave is not needed any more.
void let_go(const Program& program, Handle object);
/// What a name of the request means: a signal, a word of a memory, a bit of a vector. Sets object, width, bit, is_real; or why it is nothing that
/// has a value.
void find_object(const Program& program, Write* write);
/// One signal of an answer. False: it has no place any more.
bool add_signal(const Program& program, Handle object, const char* name, Kind kind, const char* kind_name);
void add_more(uint64_t offset);
/// Whose name fits the pattern (names.h), until `each` gives false.
void for_each_named(const Program& program, const char* pattern,
                    bool (*each)(void* context, Handle object, const char* name, Kind kind, const char* kind_name), void* context);
/// Simulated, in ticks.
uint64_t time_of(const Program& program);
/// "time" and "simulator".
void add_time(const Program& program);

}  // namespace cairn::hdl
