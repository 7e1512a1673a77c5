// What the processes of a computation on several hosts tell each other from one phase of an operation to the next, by way of the
// coordinator: told and asked with the reply to a phase, answered with the request of a later one. Where there is one host, nothing.
// Context: the agent's thread, within phases. Its memory is in the agent's arena, in no image. Test: tests/exchange_test.cc.
#pragma once
#include <cairn/plugin.h>

#include "sys/arena.h"
#include "sys/text.h"

namespace cairn::events {

/// A phase begins. Forgets what was said in earlier operations. hosts: 0 where there is only one.
void begin_exchange_phase(uint64_t operation, uint32_t hosts, sys::Text folder, sys::Arena* arena);
/// After a fork or a restart: the memory is not there.
void forget_exchange();

/// An answer that came with a request.
void add_answer(uint32_t space, sys::Text key, sys::Text value, uint32_t host, sys::Text address);
/// What is to be sent with the reply, one after the other; false: no more. *place begins with 0.
bool next_said(uint32_t* place, uint32_t* space, sys::Text* key, sys::Text* value, bool* wanted);
/// It was sent.
void clear_said();

int32_t tell_hosts(uint32_t space, const void* key, uint32_t key_size, const void* value, uint32_t value_size);
int32_t ask_hosts(uint32_t space, const void* key, uint32_t key_size);
int32_t answer_of_hosts(uint32_t space, const void* key, uint32_t key_size, cairn_answer* answer);
const char* exchange_folder();

}  // namespace cairn::events
