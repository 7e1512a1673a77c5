/* Short texts for the log and for tables, without libc's formatting: what does not fit is left out. */
#ifndef FAULT_PHRASE_H
#define FAULT_PHRASE_H

#include <stdint.h>

struct text {
  char bytes[360];
  uint32_t size;
};

void add(struct text *text, const char *part);
void add_number(struct text *text, uint64_t value);
void add_hexadecimal(struct text *text, uint64_t value);

#endif
