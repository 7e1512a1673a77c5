// The first instructions of a function, moved elsewhere so that a jump can stand in their place for good: how long each is, and what it says of
// its own address, which is set right. Instructions that a compiler puts at a function's beginning, no others: what is not known is not moved.
// What it cannot see: a jump from further on back into the bytes that are moved (a loop at the very beginning, behind endbr64), which would meet
// the middle of the jump. Whoever enters a function for good knows that it has none.
// Pure. Test: tests/entries_test.cc.
#pragma once
#include <stdint.h>

namespace cairn::events {

/// Of the instruction there: its bytes; 0: it is not known, or must stay where it is. *relative: where a 32-bit distance from the
/// instruction's end stands in it; 0: there is none.
uint32_t instruction_size(const unsigned char* code, uint32_t* relative);

/// Copies whole instructions of `least` bytes or more. Gives how many bytes there are; 0: they cannot be moved.
uint32_t move_code(const unsigned char* code, unsigned char* to, uint32_t least, uint32_t capacity);

}  // namespace cairn::events
