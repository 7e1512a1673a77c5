#include "common/words.h"

#include <string.h>

static char said[700];

const char *say(uint32_t fault, const char *what, const char *name) {
  char number[4] = {0};
  number[fault >= 9 ? 1 : 0] = (char)('0' + (fault + 1) % 10);
  if (fault >= 9) number[0] = (char)('0' + (fault + 1) / 10);
  const char *const parts[] = {"fault ", number, ": ", name, what};
  uint32_t size = 0;
  for (uint32_t i = 0; i < sizeof parts / sizeof *parts; ++i)
    for (const char *at = parts[i]; *at != 0 && size + 1 < sizeof said; ++at) said[size++] = *at;
  said[size] = 0;
  return said;
}

int same(const char *a, const char *b) { return strcmp(a, b) == 0; }
