/* The model: a queue of bytes that the device gives back, each changed by the cycle in which it passes. Every 1000th cycle the device is busy
 * and refuses a step once. */
#include "model.h"

#include <errno.h>
#include <stdlib.h>

enum { QUEUE = 4096, BUSY_EVERY = 1000 };
struct model {
  uint64_t cycle;
  uint64_t seed;
  uint64_t refused; /* the cycle of the last refusal */
  uint32_t first;
  uint32_t count;
  unsigned char queue[QUEUE];
};

struct model *model_open(uint64_t seed) {
  struct model *model = calloc(1, sizeof *model);
  if (model != NULL) model->seed = seed;
  return model;
}

int64_t model_step(struct model *model, uint32_t cycles) {
  uint64_t busy = (model->cycle / BUSY_EVERY + 1) * BUSY_EVERY;
  if (model->cycle + cycles >= busy && model->refused != busy) {
    model->refused = busy;
    return -EBUSY;
  }
  for (uint32_t i = 0; i < cycles; ++i) {
    model->cycle++;
    model->seed = model->seed * 6364136223846793005u + 1442695040888963407u;
  }
  return (int64_t)model->cycle;
}

int32_t model_send(struct model *model, const void *data, uint32_t size) {
  uint32_t taken = 0;
  for (; taken < size && model->count < QUEUE; ++taken, ++model->count) {
    model->queue[(model->first + model->count) % QUEUE] = (unsigned char)(((const unsigned char *)data)[taken] ^ (model->seed >> 32));
  }
  return (int32_t)taken;
}

int32_t model_receive(struct model *model, void *data, uint32_t capacity) {
  uint32_t given = 0;
  for (; given < capacity && model->count > 0; ++given, --model->count) {
    ((unsigned char *)data)[given] = model->queue[model->first];
    model->first = (model->first + 1) % QUEUE;
  }
  return (int32_t)given;
}
