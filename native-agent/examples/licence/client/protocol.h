/*
 * What goes between a client and the licence daemon: requests and answers of fixed sizes over TCP, numbers in the machine's order. Each
 * request has a nonce that nobody has used; its answer carries it, and is signed with the vendor's key: so an answer is the daemon's, and
 * to this request. Answers may be late, and are then known by a nonce that nobody waits for.
 *
 * A lease is the right to work, of one process. It lasts for lease_ms from the request that gave it, and heartbeats (LIC_RENEW) prolong it.
 * A lease that is paused needs none: nobody works with it. Its id is gone when the pause is over, since the new one's is another: a
 * snapshot that was made meanwhile has the old id, which is good for one of those who come with it, and for no second.
 *
 * Seats are counted by host or by session, as the feature says: all leases of one host (one session) are one seat.
 */
#ifndef LIC_PROTOCOL_H
#define LIC_PROTOCOL_H

#include <stdint.h>

enum {
  LIC_MAGIC = 0x4c494331,
  LIC_NONCE = 16,
  LIC_NAME = 64,
  LIC_TEXT = 256,
  LIC_SIGNATURE = 64 /* of Ed25519 */
};

enum lic_kind {
  LIC_CHECKOUT = 1, /* hold_ms: 0, or it is a reservation: for how long the first LIC_RENEW without may take. A connection that is closed
                     * before has not begun to work: the seat is as it was */
  LIC_RENEW = 2,    /* a heartbeat; the end of a pause, also by a session that has the lease from a snapshot. hold_ms: as before. The answer
                     * has the id from now on */
  LIC_PAUSE = 3,    /* hold_ms: for how long the seat is kept without heartbeats */
  LIC_RETURN = 4,
  LIC_STATUS = 5    /* of a feature: seats, used, kept, and who in words */
};

enum lic_result {
  LIC_GRANTED = 0,
  LIC_FULL = 1,     /* no seat is free */
  LIC_UNKNOWN = 2,  /* there is no such lease, or no longer */
  LIC_REFUSED = 3   /* for another reason; as the next ones: `text` says it */
};

struct lic_request {
  uint32_t magic;
  uint32_t kind;
  uint64_t lease;
  uint32_t hold_ms;
  uint32_t reserved;
  uint8_t nonce[LIC_NONCE];
  char feature[LIC_NAME]; /* texts end with a zero */
  char host[LIC_NAME];
  char session[LIC_NAME];
  char who[LIC_NAME];
};

struct lic_answer {
  uint32_t magic;
  uint32_t kind;   /* of the request */
  uint32_t result;
  uint32_t lease_ms;
  uint64_t lease;
  uint32_t seats;
  uint32_t used;   /* those that are kept are among them */
  uint32_t kept;
  uint32_t reserved;
  uint8_t nonce[LIC_NONCE];
  char text[LIC_TEXT];
  uint8_t signature[LIC_SIGNATURE]; /* over all that is before it */
};

#endif
