/*
 * A library of somebody else's, of which a plugin's author has this header and no source: the model of a device, driven step by step.
 * The plugins beside it wrap its functions. All give -errno where they fail.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

struct model;

struct model *model_open(uint64_t seed);
/* Runs so many cycles: the cycle that the model has come to. */
int64_t model_step(struct model *model, uint32_t cycles);
/* Bytes to and from the device: how many were taken or given. */
int32_t model_send(struct model *model, const void *data, uint32_t size);
int32_t model_receive(struct model *model, void *data, uint32_t capacity);

#endif
