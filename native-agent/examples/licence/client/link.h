/*
 * The connection to the daemon and the lease, as the library has them. The vendor's plugin finds them by the function lic_link(), and uses
 * them from the moment that it has the lock: then the library's thread asks the daemon for nothing.
 *
 * Work is done in pieces: who begins one looks whether the gate is open and the lease is good. So with the gate closed and nobody inside
 * nobody works, and the lease may go.
 */
#ifndef LIC_LINK_H
#define LIC_LINK_H

#include "protocol.h"
#include "wire.h"

enum { LIC_LINK_VERSION = 1, LIC_REASON = 400 };

struct lic_link {
  uint32_t version;
  uint32_t lock;        /* a futex: 0 free, 1 taken, 2 taken and waited for. The plugin has it over a checkpoint */
  uint32_t closed;      /* a futex: 1: no piece of work begins. The plugin's */
  uint32_t inside;      /* a futex: threads within a piece */
  uint32_t news;        /* a futex: counts what has become of the lease */
  uint32_t look;        /* a futex: counts what the library's thread is to look at */
  int32_t fd;           /* -1: no connection */
  uint32_t lease_ms;    /* as the daemon said last */
  uint64_t lease;       /* 0: none */
  uint64_t good_until;  /* by now_ms(). Counted from the request, which is earlier than the daemon counts from */
  uint32_t had;         /* bytes of an answer that is not whole yet */
  uint32_t broken;      /* 1: the connection is of no use any more: the library makes another one */
  uint32_t host_given;  /* 1: the host's name was not taken from the machine */
  char daemon[LIC_NAME];
  char feature[LIC_NAME];
  char host[LIC_NAME];
  char session[LIC_NAME];
  char who[LIC_NAME];
  char reason[LIC_REASON]; /* why there is no lease */
  struct lic_answer input;
  /* The library's own: so the plugin needs neither the key nor a library for it, and both have one clock. Neither allocates nor locks. */
  uint64_t (*now_ms)(void);
  int (*genuine)(const struct lic_answer *answer);
};

/* 0, or -ETIMEDOUT. */
int lic_lock(lic_syscall call, struct lic_link *link, uint64_t deadline_ms);
void lic_unlock(lic_syscall call, struct lic_link *link);

/* ---- All that follows: with the lock ---- */

/* Asks the daemon, by link->fd. 0: granted; -EACCES: refused, and *answer says why; -ETIMEDOUT, -EBADMSG: it is not signed by the vendor; or
 * the connection's error. LIC_CHECKOUT and LIC_RENEW: what is granted is in the link then. */
int lic_ask(lic_syscall call, struct lic_link *link, uint32_t kind, uint32_t hold_ms, uint64_t deadline_ms, struct lic_answer *answer);
/* Whether the lease is good now. Also without the lock. */
int lic_good(const struct lic_link *link);
/* It may be another one's by now: nobody works with it until the daemon has renewed it. */
void lic_doubt(struct lic_link *link);
/* There is none, or no longer. */
void lic_drop(lic_syscall call, struct lic_link *link);
/* "the licence daemon at ADDRESS …" for what lic_ask (answer: what it was given) or lic_connect (NULL) has returned. */
void lic_explain(const struct lic_link *link, int error, const struct lic_answer *answer, char *text, size_t capacity);

/* Exported by the library, for the vendor's plugin: NULL where this process has asked for no licence. */
struct lic_link *lic_link(void);

#endif
