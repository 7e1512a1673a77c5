/* Which connections faults are on: found when a descriptor is first used, by what it leads to now, and again when it leads elsewhere. In the
 * application's threads. */
#ifndef FAULT_MESSAGES_CONNECTIONS_H
#define FAULT_MESSAGES_CONNECTIONS_H

#include "cairn/plugin.h"
#include "messages/faults.h"

enum { STREAMS = 128 };

/* What a thread that ends a connection asks of the one that has its lock, which may wait in a call for that very end. */
enum stream_end { GOES_ON, SHUTS, CLOSES };

/* One direction of one connection. Which one it is changes with both locks only, its own and that of all. */
struct stream {
  uint32_t used;
  uint32_t lock;       /* 0, or the thread that has it */
  uint32_t asked;      /* enum stream_end */
  int32_t fd;
  uint32_t receives;
  uint32_t is_socket;
  uint32_t datagrams;
  uint64_t device;     /* and inode; both 0: as after a restart, whatever it is then */
  uint64_t inode;
  uint32_t faults;     /* a bit for each that is on it; 0: none is */
  struct rule rule;
  struct parse parse;
  uint32_t begun;      /* the message under way is counted and has its fault, but none of it has gone */
  int32_t active;      /* the fault of the message under way; -1: none */
  uint32_t changed;    /* by it */
  uint64_t number;     /* of the message, as that fault counts */
  /* A message that is sent once more, or later. */
  uint8_t *held;
  uint64_t held_size;
  uint64_t held_room;
  int32_t waits;       /* the fault whose whole message is held, for the next one to pass; -1: none */
  uint64_t waits_number;
};

/* With its lock, where a fault is on it; NULL: none is, or this is a child of vfork, in its parent's memory. */
struct stream *stream_take(const struct cairn_host *host, const struct faults *faults, uint32_t here, int fd, int receives);
void stream_give(struct stream *stream);
/* Once: 1: its lock is taken. */
int stream_try(const struct cairn_host *host, struct stream *stream);
/* The next one, from *index on, of the descriptors from first to last, whether a fault is on it or not, with its lock; NULL: there is none any
 * more. One that another thread has is passed over: that thread is asked for the end. */
struct stream *stream_to_end(const struct cairn_host *host, int first, int last, uint32_t end, uint32_t *index);
/* Its place is another's. With its lock. */
void stream_free(const struct cairn_host *host, struct stream *stream);
/* Its descriptor leads to where it led when it was found. */
int stream_leads(const struct stream *stream);
/* All threads stand: those whose descriptor leads elsewhere by now would take any other for theirs after a restart. */
void streams_saved(const struct cairn_host *host);
/* Before the threads of a restart run. */
void streams_restarted(void);
/* In a new process: who had a lock is not in it, and a message that is held is its parent's to send. */
void streams_forked(void);
void streams_forget(void);

#endif
