/* Faults in messages: what the settings say. */
#ifndef FAULT_MESSAGES_FAULTS_H
#define FAULT_MESSAGES_FAULTS_H

#include <stdint.h>

#include "common/chosen.h"

enum { FAULTS = 32, FAULT_TEXT = 200, FAULT_PATH = 1024, FAULT_BYTES = 64, RULE_HEADER = 64 };

enum fault_effect { NO_EFFECT, DROP, CORRUPT, DELAY, DUPLICATE, REORDER };
enum fault_kind { ANY_KIND, SOCKET, PIPE, FIFO };
/* Where a message ends. Datagrams are messages by themselves. */
enum rule_kind { BY_CALL, BY_SIZE, BY_LINE, BY_LENGTH, BY_EXTENSION };

struct rule {
  uint32_t kind;
  uint64_t size;        /* BY_SIZE: of each */
  uint32_t offset;      /* BY_LENGTH: where the field is, its bytes, and what it does not count */
  uint32_t field;
  uint32_t big_endian;
  uint64_t header;
  char extension[64];   /* BY_EXTENSION: its name, and what it says; NULL: no plugin has published it, and each call is a message */
  uint64_t (*length)(const void *bytes, uint64_t count);
};

struct fault {
  char peer[FAULT_TEXT];    /* how the address of the other end ends; empty: any */
  char local[FAULT_TEXT];
  char path[FAULT_TEXT];    /* how the path of a Unix socket, of either end, or of a FIFO ends */
  char program[FAULT_TEXT]; /* as it was started, without folders; empty: in all */
  uint32_t kind;
  uint32_t receives;        /* 1: messages that the program receives; 0: those that it sends */
  struct rule rule;
  uint32_t effect;
  uint64_t delay_ns;
  uint64_t offset;          /* CORRUPT: in the message */
  uint32_t size;
  uint8_t bytes[FAULT_BYTES];
  uint8_t keep[FAULT_BYTES]; /* new = old & keep ^ bytes */
  struct chosen messages;
};

struct faults {
  char report[FAULT_PATH]; /* empty: none */
  uint32_t count;
  struct fault list[FAULTS];
};

/* From JSON text: NULL, or what is wrong with it, in words for the user, which live until the next call. */
const char *faults_read(const char *text, struct faults *faults);

/* ---- Where messages end ---- */
/* A message under way. */
struct parse {
  uint64_t position; /* bytes of it that have passed; 0: the next byte begins one */
  uint64_t length;   /* 0: not known yet */
  uint8_t header[RULE_HEADER];
};
/* Where each call is one: one begins, of a call with so many bytes. What the kernel does not take of it comes with the calls behind it. */
void parse_call(struct parse *parse, const struct rule *rule, uint64_t count);
/* How many of these bytes belong to it; *ends: it ends with them, and the next one begins. count > 0. */
uint64_t parse_take(struct parse *parse, const struct rule *rule, const uint8_t *bytes, uint64_t count, int *ends);

#endif
