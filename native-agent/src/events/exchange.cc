#include "events/exchange.h"

#include <errno.h>
#include <string.h>

namespace cairn::events {
namespace {

using sys::Text;

constexpr uint32_t capacity = 256 * 1024;
constexpr uint32_t address_size = 16;

struct Record {
  uint32_t space;
  uint32_t wanted;
  uint32_t host;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t has_address;
  char address[address_size];
  char bytes[];  // the key, then the value
};

struct List {
  char* memory = nullptr;
  uint32_t used = 0;
};

List said, answers;
uint64_t present = 0;
uint32_t host_count = 0;
char folder_text[4200];

uint32_t size_of(uint32_t key_size, uint32_t value_size) { return (static_cast<uint32_t>(sizeof(Record)) + key_size + value_size + 15) & ~15u; }

Record* record_at(const List& list, uint32_t place) {
  return place < list.used ? reinterpret_cast<Record*>(list.memory + place) : nullptr;
}

int32_t add(List* list, const Record& head, const void* key, const void* value) {
  if (list->memory == nullptr) return -ENOTCONN;
  if (head.key_size > capacity || head.value_size > capacity) return -E2BIG;
  uint32_t size = size_of(head.key_size, head.value_size);
  if (list->used + size > capacity) return -ENOSPC;
  auto* record = reinterpret_cast<Record*>(list->memory + list->used);
  memcpy(record, &head, sizeof head);
  if (head.key_size > 0) memcpy(record->bytes, key, head.key_size);
  if (head.value_size > 0) memcpy(record->bytes + head.key_size, value, head.value_size);
  list->used += size;
  return 0;
}

}  // namespace

void begin_exchange_phase(uint64_t operation, uint32_t hosts, Text folder, sys::Arena* arena) {
  host_count = hosts;
  if (operation != present) said.used = answers.used = 0;
  present = operation;
  sys::TextBuilder(folder_text, sizeof folder_text).add(folder);
  if (hosts < 2 || said.memory != nullptr) return;
  said.memory = static_cast<char*>(arena->allocate(capacity));
  answers.memory = said.memory == nullptr ? nullptr : static_cast<char*>(arena->allocate(capacity));
}

void forget_exchange() {
  said = answers = List();
  host_count = 0;
}

void add_answer(uint32_t space, Text key, Text value, uint32_t host, Text address) {
  Record head = {space, 0, host, static_cast<uint32_t>(key.size), static_cast<uint32_t>(value.size), address.size == address_size, {}};
  if (head.has_address != 0) memcpy(head.address, address.data, address_size);
  (void)add(&answers, head, key.data, value.data);
}

bool next_said(uint32_t* place, uint32_t* space, Text* key, Text* value, bool* wanted) {
  const Record* record = record_at(said, *place);
  if (record == nullptr) return false;
  *space = record->space;
  *key = Text(record->bytes, record->key_size);
  *value = Text(record->bytes + record->key_size, record->value_size);
  *wanted = record->wanted != 0;
  *place += size_of(record->key_size, record->value_size);
  return true;
}

void clear_said() { said.used = 0; }

int32_t tell_hosts(uint32_t space, const void* key, uint32_t key_size, const void* value, uint32_t value_size) {
  return host_count < 2 ? -ENOTCONN : add(&said, {space, 0, 0, key_size, value_size, 0, {}}, key, value);
}

int32_t ask_hosts(uint32_t space, const void* key, uint32_t key_size) {
  return host_count < 2 ? -ENOTCONN : add(&said, {space, 1, 0, key_size, 0, 0, {}}, key, "");
}

int32_t answer_of_hosts(uint32_t space, const void* key, uint32_t key_size, cairn_answer* answer) {
  if (host_count < 2) return -ENOTCONN;
  uint32_t place = 0;
  while (const Record* record = record_at(answers, place)) {
    place += size_of(record->key_size, record->value_size);
    if (record->space != space || record->key_size != key_size || memcmp(record->bytes, key, key_size) != 0) continue;
    *answer = {static_cast<uint32_t>(sizeof *answer), record->host, record->bytes + record->key_size, record->value_size, record->has_address, {}};
    memcpy(answer->address, record->address, address_size);
    return 0;
  }
  return -ENOENT;
}

const char* exchange_folder() { return host_count < 2 || folder_text[0] == 0 ? nullptr : folder_text; }

}  // namespace cairn::events
