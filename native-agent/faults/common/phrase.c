#include "common/phrase.h"

void add(struct text *text, const char *part) {
  while (*part != 0 && text->size + 1 < sizeof text->bytes) text->bytes[text->size++] = *part++;
  text->bytes[text->size] = 0;
}

static void add_digits(struct text *text, uint64_t value, uint32_t base) {
  char digits[24];
  char *at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);
  add(text, at);
}

void add_number(struct text *text, uint64_t value) { add_digits(text, value, 10); }

void add_hexadecimal(struct text *text, uint64_t value) {
  add(text, "0x");
  add_digits(text, value, 16);
}
