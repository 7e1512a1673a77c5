/* Reading JSON text as it is wanted: no allocation, no libc. Each function moves the reader behind what it has read; the first error stays. */
#ifndef FAULT_JSON_H
#define FAULT_JSON_H

#include <stdint.h>

struct json {
  const char *at;
  int failed;
};

/* Behind `{` or `[`, a member or an element, each time: 1: there is a next one, with its key; 0: it was the last, or the text is none. */
int json_member(struct json *json, char *key, uint32_t capacity, int *begun);
int json_element(struct json *json, int *begun);

void json_text(struct json *json, char *value, uint32_t capacity);
/* Whole: of 64 bits, with a sign or without. */
void json_whole(struct json *json, uint64_t *value);
void json_double(struct json *json, double *value);
void json_flag(struct json *json, uint32_t *value);
/* The next value begins with that character. */
int json_begins(struct json *json, char with);
void json_end(struct json *json);
/* Two hexadecimal digits for each of at most `most` bytes, of which there are no more than JSON_BYTES: how many; 0: that is none. */
enum { JSON_BYTES = 64 };
uint32_t json_bytes(struct json *json, uint32_t most, uint8_t *bytes);

#endif
