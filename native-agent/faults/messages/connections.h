/* Which connections faults are on: found when a descriptor is first used, by what it leads to now, and again when it leads elsewhere. In the
 * application's threads. */
#ifndef FAULT_MESSAGES_CONNECTIONS_H
#define FAULT_MESSAGES_CONNECTIONS_H

#include "cairn/plugin.h"
#include "messages/faults.h"

enum { STREAMS = 128 };

/* One direction of one connection. */
struct stream {
  uint32_t used;
  uint32_t lock;       /* 0, or the thread that has it */
  int32_t fd;
  uint32_t receives;
  uint64_t device;     /* and inode; both 0: as after a restart, whatever it is then */
  uint64_t inode;
  uint32_t faults;     /* a bit for each that is on it; 0: none is */
  struct rule rule;
  struct parse parse;
  int32_t active;      /* the fault of the message under way; -1: none */
  uint32_t changed;    /* by it */
  /* A message that is sent once more, or later. */
  uint8_t *held;
  uint64_t held_size;
  uint64_t held_room;
  int32_t waits;       /* the fault whose whole message is held, for the next one to pass; -1: none */
};

/* With its lock, where a fault is on it; NULL: none is. */
struct stream *stream_take(const struct cairn_host *host, const struct faults *faults, uint32_t here, int fd, int receives);
void stream_give(struct stream *stream);
/* Before the threads of a restart run. */
void streams_restarted(void);
/* In a new process: who had a lock is not in it, and a message that is held is its parent's to send. */
void streams_forked(void);
void streams_forget(void);

#endif
