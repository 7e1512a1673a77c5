// Threads allocate, resize, free and check blocks of all sizes before, during and after the checkpoint.
// sabotage: poke @block
// churn: maps
#include "../probe.h"
#include <malloc.h>

static volatile int stop;
static volatile long rounds;
enum { SLOTS = 200 };

static void check_block(unsigned char *block, size_t bytes, unsigned tag) {
  if (!block) return;
  CHECK(block[0] == (unsigned char)tag && block[bytes / 2] == (unsigned char)tag && block[bytes - 1] == (unsigned char)tag, "a block of %zu bytes was damaged", bytes);
}
static void *body(void *argument) {
  unsigned seed = (unsigned)(uintptr_t)argument;
  unsigned char *blocks[SLOTS] = {0};
  size_t sizes[SLOTS];
  unsigned tags[SLOTS];
  while (!stop) {
    for (int i = 0; i < 500; i++) {
      int slot = rand_r(&seed) % SLOTS;
      int kind = rand_r(&seed) % 4;
      check_block(blocks[slot], sizes[slot], tags[slot]);
      size_t bytes = 16 + (size_t)rand_r(&seed) % (kind == 3 ? 300000 : 2000);
      if (kind == 0) {
        free(blocks[slot]);
        blocks[slot] = NULL;
        continue;
      }
      if (kind == 1 && blocks[slot]) {
        blocks[slot] = (unsigned char *)realloc(blocks[slot], bytes);
      } else {
        free(blocks[slot]);
        blocks[slot] = (unsigned char *)(kind == 2 ? memalign(64, bytes) : calloc(1, bytes));
      }
      CHECK(blocks[slot], "no memory");
      sizes[slot] = bytes;
      tags[slot] = (unsigned)rand_r(&seed);
      memset(blocks[slot], (int)tags[slot], bytes);
    }
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
    probe_sleep_ms(2);
  }
  for (int i = 0; i < SLOTS; i++) check_block(blocks[i], sizes[i], tags[i]), free(blocks[i]);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  unsigned char *block = (unsigned char *)malloc(100000);
  probe_fill(block, 100000, 5);
  probe_note("block", (uint64_t)(uintptr_t)block + 50000);
  pthread_t threads[3];
  for (uintptr_t i = 0; i < 3; i++) pthread_create(&threads[i], NULL, body, (void *)(i + 17));
  WAIT_UNTIL(rounds > 10, "no rounds");
  probe_hold();
  CHECK(probe_compare(block, 100000, 5) == -1, "a large block");
  long so_far = rounds;
  WAIT_UNTIL(rounds > so_far + 20, "no more rounds");
  stop = 1;
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  free(block);
  CHECK(malloc_trim(0) >= 0, "malloc_trim");
  return probe_ok();
}
