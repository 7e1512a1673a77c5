/*
 * The emulator's client library, as a test bench sees it. A connection is opened by one process and used by it and all children that it
 * forks from then on, each on ports of its own, by one thread a port. Results: 0 or more on success, -errno on failure.
 */
#ifndef EMU_H
#define EMU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct emu;

/* Takes a run slot of the emulator at "127.0.0.1:4000" (numbers, no names), and resets the design in it. */
int emu_open(const char *address, unsigned slot, unsigned ports, struct emu **emu);
void emu_close(struct emu *emu);

/* What came in the way, in words, where a function has failed. */
const char *emu_reason(const struct emu *emu);

/* Begin a transaction. At most EMU_IN_FLIGHT of a port may wait for their answers: else -EAGAIN. */
enum { EMU_IN_FLIGHT = 64 };
int emu_run(struct emu *emu, unsigned port, uint32_t cycles);
int emu_read(struct emu *emu, unsigned port, uint32_t address);
int emu_write(struct emu *emu, unsigned port, uint32_t address, uint32_t value);
int emu_console(struct emu *emu, unsigned port);
/* The port takes no more part: the clock does not wait for it. */
int emu_finish(struct emu *emu, unsigned port);

/* Waits for the answer to the port's oldest transaction that has not been taken yet. */
int emu_answer(struct emu *emu, unsigned port, uint64_t *value);

#ifdef __cplusplus
}
#endif

#endif
