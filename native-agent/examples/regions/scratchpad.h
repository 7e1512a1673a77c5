/* A table that a vendor's service lays into a file, between guard pages so that who runs out of it is stopped. */
#ifndef SCRATCHPAD_H
#define SCRATCHPAD_H

#include <stdint.h>

enum { SCRATCHPAD_PAGE = 4096, SCRATCHPAD_PAGES = 16, SCRATCHPAD_WORDS = SCRATCHPAD_PAGES * SCRATCHPAD_PAGE / 8 };

/* Maps the service's file, whose name ends with ".scratchpad"; it is made where there is none. NULL: errno says why. */
uint64_t *scratchpad_open(const char *file);
void scratchpad_close(uint64_t *table);

/* What the service computes. */
static inline uint64_t scratchpad_word(uint64_t index) { return (index + 1) * 0x9e3779b97f4a7c15u; }

#endif
