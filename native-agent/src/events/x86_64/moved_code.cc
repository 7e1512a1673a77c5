#include "events/x86_64/moved_code.h"

#include <string.h>

namespace cairn::events {
namespace {

/// What follows an opcode.
struct Shape {
  bool known = false;
  bool operands = false;   // a byte ModRM and what it asks for
  uint32_t immediate = 0;  // bytes
};

constexpr Shape none = {true, false, 0};
constexpr Shape operands = {true, true, 0};
constexpr Shape operands_8 = {true, true, 1};
constexpr Shape operands_32 = {true, true, 4};

Shape shape_of_two(unsigned char opcode) {
  if ((opcode >= 0x10 && opcode <= 0x17) || opcode == 0x28 || opcode == 0x29 || opcode == 0x2e || opcode == 0x2f) return operands;
  if (opcode == 0x1e || opcode == 0x1f) return operands;           // endbr, nop
  if (opcode >= 0x40 && opcode <= 0x4f) return operands;           // cmov
  if ((opcode >= 0x51 && opcode <= 0x6f) || opcode == 0x7e || opcode == 0x7f) return operands;
  if (opcode >= 0x90 && opcode <= 0x9f) return operands;           // set
  if (opcode == 0xaf || opcode == 0xb6 || opcode == 0xb7 || opcode == 0xbe || opcode == 0xbf) return operands;
  if (opcode == 0xd4 || opcode == 0xd6 || opcode == 0xef) return operands;
  return {};
}

Shape shape_of(unsigned char opcode, unsigned char modrm, bool wide) {
  const uint32_t extension = modrm >> 3 & 7;
  if (opcode < 0x40 && (opcode & 7) < 6) return (opcode & 7) < 4 ? operands : Shape{true, false, (opcode & 7) == 4 ? 1u : 4u};
  if (opcode >= 0x50 && opcode <= 0x5f) return none;
  if (opcode >= 0xb8 && opcode <= 0xbf) return {true, false, wide ? 8u : 4u};
  switch (opcode) {
    case 0x68: return {true, false, 4};
    case 0x6a: return {true, false, 1};
    case 0x90: return none;
    case 0x6b: case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6: return operands_8;
    case 0x69: case 0x81: case 0xc7: return operands_32;
    case 0x63: case 0x84: case 0x85: case 0x86: case 0x87: case 0x88: case 0x89: case 0x8a: case 0x8b: case 0x8d: case 0xd0: case 0xd1: case 0xd2: case 0xd3: return operands;
    case 0xa8: return {true, false, 1};
    case 0xa9: return {true, false, 4};
    case 0xf6: return extension < 2 ? operands_8 : operands;
    case 0xf7: return extension < 2 ? operands_32 : operands;
    case 0xfe: return operands;
    // Calls tell where they came from, and jumps end it.
    case 0xff: return extension < 2 || extension == 6 ? operands : Shape{};
    default: return {};
  }
}

}  // namespace

uint32_t instruction_size(const unsigned char* code, uint32_t* relative) {
  *relative = 0;
  uint32_t at = 0;
  bool narrow = false;
  for (; code[at] == 0x66 || code[at] == 0xf2 || code[at] == 0xf3 || code[at] == 0x64; ++at) narrow = narrow || code[at] == 0x66;
  const bool has_rex = (code[at] & 0xf0) == 0x40;
  const bool wide = has_rex && (code[at] & 8) != 0;
  if (has_rex) ++at;
  const bool two = code[at] == 0x0f;
  if (two) ++at;
  const unsigned char opcode = code[at++];
  const Shape shape = two ? shape_of_two(opcode) : shape_of(opcode, code[at], wide);
  if (!shape.known || (narrow && shape.immediate > 1)) return 0;
  if (shape.operands) {
    const unsigned char modrm = code[at++];
    const uint32_t mode = modrm >> 6, memory = modrm & 7;
    if (mode != 3 && memory == 4) {
      const unsigned char base = code[at++] & 7;
      if (mode == 0 && base == 5) at += 4;
    } else if (mode == 0 && memory == 5) {
      *relative = at;
      at += 4;
    }
    at += mode == 1 ? 1 : mode == 2 ? 4 : 0;
  }
  return at + shape.immediate;
}

uint32_t move_code(const unsigned char* code, unsigned char* to, uint32_t least, uint32_t capacity) {
  uint32_t size = 0;
  while (size < least) {
    uint32_t relative = 0;
    const uint32_t bytes = instruction_size(code + size, &relative);
    if (bytes == 0 || size + bytes > capacity) return 0;
    memcpy(to + size, code + size, bytes);
    if (relative != 0) {
      int32_t distance = 0;
      memcpy(&distance, code + size + relative, sizeof distance);
      const int64_t moved = distance + (reinterpret_cast<intptr_t>(code) - reinterpret_cast<intptr_t>(to));
      distance = static_cast<int32_t>(moved);
      if (distance != moved) return 0;
      memcpy(to + size + relative, &distance, sizeof distance);
    }
    size += bytes;
  }
  return size;
}

}  // namespace cairn::events
