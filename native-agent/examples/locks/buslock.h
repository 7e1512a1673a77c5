/*
 * Locks in memory that processes share, one for each bus of a design: the library of a vendor, as its users see it. A lock belongs to the
 * thread that has taken it, and only that one can give it back. Who ends with a lock is found out by the next one.
 */
#ifndef BUSLOCK_H
#define BUSLOCK_H

enum { BUS_LOCKS = 32 };
struct bus_locks;

/* The locks of a file, which all who open it share; NULL: errno says why. */
struct bus_locks *bus_open(const char *file);

/* 0: it is the caller's now. -EOWNERDEAD: it is, too, but who had it ended without giving it back. -EBUSY: somebody else has it. -EDEADLK:
 * the caller itself has it. */
int bus_try(struct bus_locks *locks, unsigned bus);
/* As bus_try, and waits as long as somebody else has it. */
int bus_take(struct bus_locks *locks, unsigned bus);
/* Returns when the lock may be free, or a moment later. */
void bus_wait(struct bus_locks *locks, unsigned bus);
/* -EPERM: it is not the caller's. */
int bus_release(struct bus_locks *locks, unsigned bus);

#endif
