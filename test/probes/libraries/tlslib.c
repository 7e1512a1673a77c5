// Loaded by dlopen: thread-local storage of the dynamic kind, initialised from the library's image.
#include <stdint.h>

static __thread uint64_t counter = 0x7715;
static __thread char block[5000];

uint64_t tlslib_add(uint64_t amount) {
  block[amount % sizeof block] = 1;
  return counter += amount;
}
int tlslib_touched(uint64_t amount) { return block[amount % sizeof block]; }
