/*
 * The vendor's licence library, as its tool sees it: one licence a process. A thread of the library sends heartbeats, connects again where a
 * connection is lost, and checks out again where a lease is lost. A child that is forked has no part in its parent's licence.
 *
 * Environment: LIC_SESSION, a name that is the same for processes which are to be one session; without, each is one. LIC_HOST, in place
 * of the machine's name. Results: 0 or more on success, -errno on failure.
 */
#ifndef LIC_H
#define LIC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lic;

/* Takes a seat of a feature from the daemon at "127.0.0.1:4000" (numbers, no names). -EACCES: it is refused. */
int lic_checkout(const char *daemon, const char *feature, struct lic **lic);
void lic_return(struct lic *lic);
/* Why there is no lease, in words. */
void lic_reason(struct lic *lic, char *text, size_t capacity);

/* Around each piece of work, which should be short: 0, and the lease under which it is done; or -ENOLCK. Any number of threads. */
int lic_begin(struct lic *lic, uint64_t *lease);
void lic_end(struct lic *lic);
/* Until there is a lease again, or the time is over: 0 or -ETIMEDOUT. */
int lic_wait(struct lic *lic, unsigned ms);

/* What the daemon says of a feature's seats: "1 of 2 seats of sim are in use, ..."; or why it does not. */
int lic_status(const char *daemon, const char *feature, char *text, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
