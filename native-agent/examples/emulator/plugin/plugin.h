/* What the parts of the emulator's plugin share. All of it may run while the test bench's threads are stopped. */
#ifndef EMULATOR_PLUGIN_H
#define EMULATOR_PLUGIN_H

#include <cairn/plugin.h>

#include "../client/link.h"
#include "settings.h"

#define EMULATOR_MARK "emulator"

/* What a restart needs before the shared memory is back. */
struct emulator_state {
  uint64_t identity;
  uint64_t key;
  uint32_t slot;
  uint32_t ports;
  char emulator[EMU_ADDRESS];
  char saved[EMU_NAME];
};

extern const struct cairn_host *host;
extern struct settings settings;
extern struct emu_link *emulator_link;

uint64_t emulator_deadline(void);
/* host->fail with "the emulator at EMULATOR WHAT: WHY". */
int32_t emulator_fails(int32_t error, const char *emulator, const char *what, const char *why);

/* ---- back.c ---- */
/* Where the connection is now, and what the emulator is to load. */
void emulator_describe(struct emulator_state *state);
/* A connection to that emulator, with the slot, and asked for the state: a descriptor, or -errno and host->fail was called. */
int emulator_reach(struct emulator_state *state, struct emu_input *input, uint64_t deadline);
/* The emulator is ready: the link leads there, and it gets all transactions that it does not have. By link->fd. 0 or -errno. */
int emulator_back(const struct emulator_state *state);
/* CAIRN_EVENT_EXTERNAL_RESUME */
int32_t emulator_resume(struct cairn_external *connection);

#endif
