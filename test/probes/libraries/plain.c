// Loaded by dlopen after the checkpoint: has a constructor, data to relocate, and calls back into libc.
#include <stdlib.h>
#include <string.h>

static char *made;
static const char *const words[] = {"zero", "one", "two"};
__attribute__((constructor)) static void construct(void) { made = strdup("constructed"); }
__attribute__((destructor)) static void destroy(void) { free(made); }
const char *plain_word(int index) { return index < 0 ? made : words[index]; }
