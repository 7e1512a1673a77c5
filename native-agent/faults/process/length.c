/* After the opcode maps of the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A. */
#include "process/length.h"

/* What follows an opcode. */
enum kind {
  NONE,
  BYTE,       /* 8 bits */
  WORD,       /* 16 bits */
  LONG,       /* 32 bits, or 16 with the prefix 66 */
  FAR,        /* 32 bits in any case: jumps and calls */
  WHOLE,      /* as LONG; 64 bits with REX.W */
  ADDRESS,    /* as wide as addresses are */
  ENTER,      /* 16 and 8 bits */
  BAD,
  MODRM = 16, /* with a byte that says more, before those above */
};

static uint32_t of_one_byte(uint8_t opcode) {
  if (opcode < 0x40) {
    const uint8_t low = opcode & 7;
    return low < 4 ? MODRM : low == 4 ? BYTE : low == 5 ? LONG : BAD;
  }
  if (opcode >= 0x50 && opcode <= 0x5f) return NONE;
  if (opcode >= 0x70 && opcode <= 0x7f) return BYTE;
  if (opcode >= 0xb0 && opcode <= 0xb7) return BYTE;
  if (opcode >= 0xb8 && opcode <= 0xbf) return WHOLE;
  if (opcode >= 0xd8 && opcode <= 0xdf) return MODRM;
  if (opcode >= 0xe0 && opcode <= 0xe7) return BYTE;
  if (opcode >= 0xa0 && opcode <= 0xa3) return ADDRESS;
  if (opcode >= 0x84 && opcode <= 0x8f) return MODRM;
  switch (opcode) {
    case 0x63: case 0xd0: case 0xd1: case 0xd2: case 0xd3: case 0xfe: case 0xff: return MODRM;
    case 0x68: case 0xa9: return LONG;
    case 0x69: case 0x81: case 0xc7: return MODRM | LONG;
    case 0x6a: case 0xa8: case 0xcd: case 0xeb: return BYTE;
    case 0x6b: case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6: return MODRM | BYTE;
    case 0xc2: case 0xca: return WORD;
    case 0xc8: return ENTER;
    case 0xe8: case 0xe9: return FAR;
    case 0x60: case 0x61: case 0x82: case 0x9a: case 0xce: case 0xd4: case 0xd5: case 0xd6: case 0xea: return BAD;
    default: return NONE;
  }
}

static uint32_t of_two_bytes(uint8_t opcode) {
  if (opcode >= 0x80 && opcode <= 0x8f) return FAR;
  if ((opcode >= 0x30 && opcode <= 0x37) || (opcode >= 0xc8 && opcode <= 0xcf)) return NONE;
  switch (opcode) {
    case 0x05: case 0x06: case 0x07: case 0x08: case 0x09: case 0x0b: case 0x0e: case 0x77:
    case 0xa0: case 0xa1: case 0xa2: case 0xa8: case 0xa9: case 0xaa: return NONE;
    case 0x0f: case 0x70: case 0x71: case 0x72: case 0x73: case 0xa4: case 0xac: case 0xba:
    case 0xc2: case 0xc4: case 0xc5: case 0xc6: return MODRM | BYTE;
    case 0x04: case 0x0a: case 0x0c: case 0x24: case 0x25: case 0x26: case 0x27: case 0x36: case 0x39:
    case 0x3b: case 0x3c: case 0x3d: case 0x3e: case 0x3f: return BAD;
    default: return MODRM;
  }
}

/* With VEX or EVEX, by the map that the prefix names. */
static uint32_t of_map(uint32_t map, uint8_t opcode, int is_vex) {
  if (map == 1) return opcode == 0x77 && is_vex ? NONE : MODRM | (of_two_bytes(opcode) == (MODRM | BYTE) ? BYTE : NONE);
  if (map == 2 || map == 5 || map == 6) return MODRM;
  return map == 3 ? MODRM | BYTE : BAD;
}

struct reader {
  const uint8_t *code;
  uint32_t size;
  uint32_t at;
};

static int next(struct reader *reader) { return reader->at < reader->size ? reader->code[reader->at++] : -1; }

/* The byte behind the opcode, and what it says that follows: 0: that is not all there. */
static int skip_operand(struct reader *reader) {
  const int modrm = next(reader);
  if (modrm < 0) return 0;
  const int mode = modrm >> 6, base = modrm & 7;
  if (mode == 3) return 1;
  uint32_t displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0;
  if (base == 4) {
    const int sib = next(reader);
    if (sib < 0) return 0;
    if (mode == 0 && (sib & 7) == 5) displacement = 4;
  } else if (mode == 0 && base == 5) {
    displacement = 4;
  }
  reader->at += displacement;
  return 1;
}

uint32_t instruction_length(const uint8_t *code, uint32_t size) {
  struct reader reader = {code, size < LONGEST_INSTRUCTION ? size : LONGEST_INSTRUCTION, 0};
  int narrow = 0, short_addresses = 0, wide = 0;
  int opcode;
  for (;;) {
    opcode = next(&reader);
    if (opcode == 0x66) narrow = 1;
    else if (opcode == 0x67) short_addresses = 1;
    else if (opcode != 0xf0 && opcode != 0xf2 && opcode != 0xf3 && opcode != 0x2e && opcode != 0x36 && opcode != 0x3e &&
             opcode != 0x26 && opcode != 0x64 && opcode != 0x65) break;
  }
  if (opcode >= 0x40 && opcode <= 0x4f) {
    wide = (opcode & 8) != 0;
    opcode = next(&reader);
  }
  if (opcode < 0) return 0;
  uint32_t kind;
  if (opcode == 0xc5 || opcode == 0xc4 || opcode == 0x62) {
    const int payload = next(&reader);
    uint32_t map = 1;
    if (opcode == 0xc4) map = (uint32_t)payload & 31, (void)next(&reader);
    if (opcode == 0x62) map = (uint32_t)payload & 7, (void)next(&reader), (void)next(&reader);
    const int is_vex = opcode != 0x62;
    opcode = next(&reader);
    if (payload < 0 || opcode < 0) return 0;
    kind = of_map(map, (uint8_t)opcode, is_vex);
  } else if (opcode == 0x0f) {
    opcode = next(&reader);
    if (opcode == 0x38 || opcode == 0x3a) {
      kind = opcode == 0x38 ? MODRM : MODRM | BYTE;
      if (next(&reader) < 0) return 0;
    } else {
      if (opcode < 0) return 0;
      kind = of_two_bytes((uint8_t)opcode);
    }
  } else if (opcode == 0xf6 || opcode == 0xf7) {
    /* test has a constant, its neighbours have none. */
    const int modrm = reader.at < reader.size ? reader.code[reader.at] : -1;
    if (modrm < 0) return 0;
    kind = MODRM | ((modrm >> 3 & 7) > 1 ? NONE : opcode == 0xf6 ? BYTE : LONG);
  } else {
    kind = of_one_byte((uint8_t)opcode);
  }
  if (kind == BAD) return 0;
  if ((kind & MODRM) != 0 && !skip_operand(&reader)) return 0;
  switch (kind & 15) {
    case BYTE: reader.at += 1; break;
    case WORD: reader.at += 2; break;
    case LONG: reader.at += narrow && !wide ? 2 : 4; break;
    case FAR: reader.at += 4; break;
    case WHOLE: reader.at += wide ? 8 : narrow ? 2 : 4; break;
    case ADDRESS: reader.at += short_addresses ? 4 : 8; break;
    case ENTER: reader.at += 3; break;
    default: break;
  }
  return reader.at <= reader.size ? reader.at : 0;
}
