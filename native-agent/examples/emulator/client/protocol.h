/*
 * What flows between a test bench and the emulator, over TCP: messages of 32 bytes, numbers as the machine has them, each followed by
 * `size` bytes of text (a name, a reason). The vendor's own: the test bench sees only emu.h.
 *
 * A connection owns one run slot at a time. On it flow control messages, one at a time with their answers, and transactions, many at a
 * time; an answer has the number of its question. Each transaction is of a port and has its number there, from 0; a port's answers come in the order of their numbers.
 *
 * The clock of the design is controlled: it advances only as far as every open port has granted by EMU_RUN. What a port asks for happens
 * at the port's own time, and at equal times in the order of the ports. So all answers follow from what each port has asked for, whatever
 * comes over the connection first.
 */
#ifndef EMU_PROTOCOL_H
#define EMU_PROTOCOL_H

#include <stdint.h>

enum {
  EMU_VERSION = 1,
  EMU_PORTS = 8,
  EMU_TEXT = 200,         /* bytes of text, at most */
  EMU_MOST_CYCLES = 1000000
};

enum emu_kind {
  EMU_ATTACH = 1,   /* number: EMU_VERSION, argument: slot, value: the key of a reservation, or 0; text: who. Answer: EMU_ATTACHED */
  EMU_RESET = 2,    /* argument: ports. Answer: EMU_READY */
  EMU_LOAD = 3,     /* text: name. Answer: EMU_READY */
  EMU_QUIESCE = 4,  /* the clock stops; what has not been done is forgotten. Answer, behind those to what was done: EMU_QUIESCED */
  EMU_SAVE = 5,     /* text: name; only when quiet. Answer: EMU_SAVED */
  EMU_GO = 6,       /* the clock is free again. No answer */
  EMU_RELEASE = 7,  /* argument: for how many ms the slot stays reserved for its key. Answer: EMU_RELEASED */
  EMU_REQUEST = 8,  /* a transaction: port, number, argument: emu_operation << 32 | address or cycles, value. Answer: EMU_RESPONSE */

  EMU_ATTACHED = 65, /* value: the key of this slot from now on */
  EMU_READY = 66,
  EMU_QUIESCED = 67,
  EMU_SAVED = 68,
  EMU_RELEASED = 69,
  EMU_RESPONSE = 70, /* port, number, value */
  EMU_REFUSED = 71   /* argument: the kind that was refused; value: 1: it may be otherwise in a moment; text: why */
};

enum emu_operation {
  EMU_RUN = 1,     /* cycles: answered when the clock is there: what the core was about to do */
  EMU_READ = 2,    /* address of a word of the memory: its content */
  EMU_WRITE = 3,   /* the same, a value: the content before */
  EMU_CONSOLE = 4, /* what the design has sent over its serial line: up to seven bytes, and in the highest byte how many */
  EMU_CLOSE = 5    /* the port grants everything from now on */
};

struct emu_message {
  uint16_t kind;
  uint16_t port;
  uint32_t size;
  uint64_t number;
  uint64_t argument;
  uint64_t value;
};

#endif
