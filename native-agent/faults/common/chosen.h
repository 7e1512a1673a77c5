/* Which of many calls, messages, moments: from one on, every so manieth, or by chance from a seed. The same seed: the same ones. */
#ifndef FAULT_CHOSEN_H
#define FAULT_CHOSEN_H

#include <stdint.h>

#include "common/json.h"

/* From `first` to `last`, every `every`-th of these, and of those a share by chance. */
struct chosen {
  uint64_t first; /* the first is 1 */
  uint64_t last;
  uint64_t every;
  uint64_t seed;
  uint64_t chance; /* of 2^32 */
};
#define CHOSEN_ALL {.first = 1, .last = UINT64_MAX, .every = 1, .chance = (uint64_t)1 << 32}

/* Reads the member `of` of a fault: NULL, or what is wrong with it. */
const char *chosen_read(struct json *json, uint32_t fault, const char *of, struct chosen *chosen);
/* Whether the n-th is one. */
int chosen_has(const struct chosen *chosen, uint64_t n);

/* One number for each n. */
uint64_t by_chance(uint64_t seed, uint64_t n);

#endif
