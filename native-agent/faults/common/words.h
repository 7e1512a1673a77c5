/* What is wrong with settings, in words for the user, and words in them compared: without libc's formatting. */
#ifndef FAULT_WORDS_H
#define FAULT_WORDS_H

#include <stdint.h>

/* "fault N: NAMEWHAT", of the fault with this index, counted from 1 for the user. It lives until the next call. */
const char *say(uint32_t fault, const char *what, const char *name);
int same(const char *a, const char *b);

#endif
