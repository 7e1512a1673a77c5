/*
 * The connection as the processes that use it share it: memory that children inherit. Used by the library while the test bench runs, and
 * by the plugin, which finds it by the function emu_link(), from the moment that it has the lock.
 *
 * Every transaction since the emulator last saved (or reset) the design is kept in its port's journal: [base, sent). Where the
 * design comes back as it was then, all of them are sent again, and answers that were there before have to be the same. So what was on
 * the way is neither lost nor doubled, whether the emulator has come to it or not, and a dead emulator's work can be done by another one.
 */
#ifndef EMU_LINK_H
#define EMU_LINK_H

#include "emu.h"
#include "wire.h"

enum { EMU_LINK_VERSION = 1, EMU_JOURNAL = 65536, EMU_NAME = 128, EMU_ADDRESS = 64, EMU_REASON = 320 };

struct emu_transaction {
  uint64_t argument;
  uint64_t value;
  uint64_t answer;
};

/* base <= taken <= answered <= sent; each is the number of a transaction. */
struct emu_port {
  uint64_t base;
  uint64_t taken;    /* by the test bench */
  uint64_t answered; /* by the emulator */
  uint64_t sent;
  struct emu_transaction journal[EMU_JOURNAL]; /* by number, modulo its size */
};

struct emu_link {
  uint32_t version;
  uint32_t lock;       /* a futex: 0 free, 1 taken, 2 taken and waited for. The plugin has it over a checkpoint */
  uint32_t generation; /* a futex: counts what has come in */
  uint32_t reading;    /* 1: a thread waits for the socket; others wait for the generation */
  int32_t error;       /* 0: the connection is alright; else what ended it, and `reason` */
  int32_t fd;          /* the same number in all processes */
  uint32_t slot;
  uint32_t ports;
  uint32_t incomplete; /* 1: a journal was too short to keep all since `base` */
  uint32_t quiet;      /* 1: the emulator's clock is stopped, and it has forgotten what it had not done */
  uint32_t away;       /* 1: disconnected for a checkpoint */
  uint32_t reserved;
  uint64_t key;        /* of the slot */
  uint64_t questions;  /* control messages of checkpoints, so that an answer that comes late is known */
  uint64_t identity;
  char emulator[EMU_ADDRESS];
  char saved[EMU_NAME]; /* the state of `base`; "": after a reset */
  char reason[EMU_REASON];
  struct emu_input input;
  struct emu_port port[EMU_PORTS];
};

/* 0, or -ETIMEDOUT. */
int emu_lock(emu_syscall call, struct emu_link *link, uint64_t deadline_ms);
void emu_unlock(emu_syscall call, struct emu_link *link);

/* All that follows: with the lock. */

/* Takes what has come in. 1: a control message, in *message and text; 0: nothing more is there; -errno: the connection has ended. */
int emu_pump(emu_syscall call, struct emu_link *link, struct emu_message *message, char *text);
/* The connection is over. Gives `error`. */
int emu_lose(emu_syscall call, struct emu_link *link, int error, const char *reason);
/* The emulator has the state `name` of this moment. */
void emu_rebase(struct emu_link *link, const char *name);
/* Sends the transactions again that the emulator does not have: those without answers, or, after a load, all since `base`. */
int emu_refill(emu_syscall call, struct emu_link *link, int from_base);

/* Takes a slot. 0; -EBUSY: it is reserved for somebody, who may not come; or -errno; and why in `reason`. */
int emu_attach(emu_syscall call, int fd, struct emu_input *input, uint32_t slot, uint64_t *key, const char *who, uint64_t deadline_ms,
               char *reason);
/* Has the design put into the state of that name, or reset where it is "". */
int emu_ask_for_state(emu_syscall call, int fd, const char *name, uint32_t ports);

/* Exported by the library, for the vendor's plugin: NULL where there is no connection. */
struct emu_link *emu_link(void);

#endif
