#include "history.h"

#include <string.h>

namespace cairn::env {
namespace {

struct Value {
  Value *next;
  const char *text;
};
struct Variable {
  Variable *next;
  const char *name;
  size_t length;
  const char *entry;  // now; null: removed
  Value *values;      // of before
  bool was_absent;
  bool stands;     // for what the array has
  uint32_t over;   // atomic: the program has set it since
};
Variable *variables;

const char *copy_of(const cairn_host *host, const char *text) {
  size_t length = strlen(text);
  char *copy = static_cast<char *>(host->allocate((length + 16) & ~uint64_t{15}));
  if (copy != nullptr) memcpy(copy, text, length);
  return copy;
}

Variable *find(const char *name, size_t length) {
  for (Variable *one = variables; one != nullptr; one = one->next)
    if (one->length == length && memcmp(one->name, name, length) == 0) return one;
  return nullptr;
}

bool counts(const Variable &one) { return __atomic_load_n(&one.over, __ATOMIC_RELAXED) == 0; }

bool had(const Variable &one, const char *text) {
  for (const Value *value = one.values; value != nullptr; value = value->next)
    if (strcmp(value->text, text) == 0) return true;
  return false;
}

const char *entry_now(const char *entry) {
  const char *equals = strchr(entry, '=');
  if (equals == nullptr) return entry;
  const Variable *one = find(entry, static_cast<size_t>(equals - entry));
  return one != nullptr && counts(*one) && had(*one, equals + 1) ? one->entry : entry;
}

const char *added(uint32_t index) {
  for (const Variable *one = variables; one != nullptr; one = one->next)
    if (one->was_absent && one->entry != nullptr && counts(*one) && index-- == 0) return one->entry;
  return nullptr;
}

}  // namespace

const cairn_environment handed_on = {sizeof(cairn_environment), 0, entry_now, added};

bool remember(const cairn_host *host, const char *name, const char *before, const char *entry) {
  size_t length = strlen(name);
  Variable *one = find(name, length);
  if (one == nullptr) {
    one = static_cast<Variable *>(host->allocate((sizeof(Variable) + 15) & ~uint64_t{15}));
    const char *copy = copy_of(host, name);
    if (one == nullptr || copy == nullptr) return false;
    *one = {variables, copy, length, nullptr, nullptr, false, false, 0};
    variables = one;
  }
  if (one->over != 0) *one = {one->next, one->name, length, nullptr, nullptr, false, false, 0};
  if (before == nullptr) {
    one->was_absent = true;
  } else if (entry == nullptr || strcmp(before, entry + length + 1) != 0) {
    auto *value = static_cast<Value *>(host->allocate((sizeof(Value) + 15) & ~uint64_t{15}));
    if (value == nullptr) return false;
    *value = {one->values, before};
    one->values = value;
  }
  one->entry = entry != nullptr ? copy_of(host, entry) : nullptr;
  return entry == nullptr || one->entry != nullptr;
}

void stand_for(const char *name) {
  if (Variable *one = find(name, strlen(name))) one->stands = true;
}

void forget(const char *name) {
  size_t length = name != nullptr ? strcspn(name, "=") : 0;
  for (Variable *one = variables; one != nullptr; one = one->next)
    if (name == nullptr || (one->length == length && memcmp(one->name, name, length) == 0))
      __atomic_store_n(&one->over, 1u, __ATOMIC_RELAXED);
}

const char *value_now(const char *name, const char *value) {
  if (__builtin_expect(variables == nullptr, 1)) return value;
  const Variable *one = find(name, strlen(name));
  if (one == nullptr || !one->stands || !counts(*one)) return value;
  if (value == nullptr ? !one->was_absent : !had(*one, value)) return value;
  return one->entry == nullptr ? nullptr : one->entry + one->length + 1;
}

}  // namespace cairn::env
