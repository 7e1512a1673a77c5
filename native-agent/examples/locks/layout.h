/* What the vendor's own parts know of a lock, and nobody else: the library and its plugin. */
#ifndef BUSLOCK_LAYOUT_H
#define BUSLOCK_LAYOUT_H

#include <stdint.h>

#include "buslock.h"

struct bus_locks {
  uint32_t owner[BUS_LOCKS]; /* 0: free; else the kernel's id of the thread that has it */
};

/* More than any kernel gives to a thread. */
#define BUS_OWNER_ENDED 0x3fffffffu

#endif
