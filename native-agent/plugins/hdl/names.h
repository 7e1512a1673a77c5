// Names and values of design signals as texts. Pure. Test: tests/hdl_plugin_test.cc.
#pragma once
#include <stdint.h>

namespace cairn::hdl {

/// Whether a name is meant: with * and ? the whole name has to fit, without them the pattern is a part of it. "": all.
bool matches(const char* pattern, const char* name);

/// NAME[INDEX]: where the index begins in the name (its '['), and what it is. False: the name does not end so.
bool split_index(const char* name, uint32_t* length, int32_t* index);

/// A value as it is asked for, of a vector of `width` bits: its digits 0, 1, x and z behind the one that fills what is missing in front;
/// written to `bits`, with a zero at the end. False: it has more digits than there is place for, and they matter.
bool fit_value(const char* value, uint32_t width, char* bits);

/// Bits from the most significant one, as "8'h2a"; where x or z stand between others as "4'b1x01".
void format_value(const char* bits, char* text, uint32_t capacity);

enum class Operation : uint32_t { any, equal, other, less, at_most, more, at_least };
/// False: there is no such word.
bool read_operation(const char* word, Operation* operation);
/// Two values of one width; with x or z none is less or more than another.
bool holds(Operation operation, const char* value, const char* than);
bool holds(Operation operation, double value, double than);

}  // namespace cairn::hdl
