// Giving variables new values at a restart. [restoring]: no thread runs, memory comes from the host. The application's array stays
// where it is, since a program that finds another one takes it for a copy of its own (and may free it): a value is written over
// the old one where it fits, else its entry is changed. Only a new variable needs a new array. The order is kept, new ones come
// at the end; of several entries with one name, of which getenv sees the first, one is left where the value changes.
// Tests: tests/env_plugin_test.cc, test/probes/attributes/environment_kept.c.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "changes.h"
#include "places.h"

// Bound as every library's reference is: to the program's own copy where it has one.
extern "C" char **environ;

namespace cairn::env {

Changes changes;

namespace {

bool names(const char *entry, const char *name, size_t length) { return strncmp(entry, name, length) == 0 && entry[length] == '='; }

const char *value_of(const char *name) {
  size_t length = strlen(name);
  for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (names(*entry, name, length)) return *entry + length + 1;
  return nullptr;
}

const char *copy_of(const cairn_host *host, const char *text) {
  size_t length = strlen(text);
  char *copy = static_cast<char *>(host->allocate((length + 16) & ~uint64_t{15}));
  if (copy != nullptr) memcpy(copy, text, length);
  return copy;
}

bool note(const cairn_host *host, const char *name, bool removed, uint64_t now) {
  for (uint32_t i = 0; i < changes.count; ++i)
    if (strcmp(changes.list[i].name, name) == 0) {  // named twice: the last one counts
      changes.list[i].removed = removed;
      return true;
    }
  const char *value = value_of(name);
  const char *before = value != nullptr ? copy_of(host, value) : nullptr;  // the application may free its own
  const char *copy = copy_of(host, name);
  if (copy == nullptr || (value != nullptr && before == nullptr)) return false;
  changes.list[changes.count++] = {copy, before, removed, now};
  return true;
}

uint32_t count_settings(const cairn_host *host, uint32_t kind) {
  uint32_t count = 0;
  while (host->setting(kind, count, nullptr) != nullptr) ++count;
  return count;
}

constexpr size_t kSpare = 16;  // entries that a new array has room for beyond its need
char **own_array;               // ours, if a restart needed one
size_t own_capacity;

size_t count_entries() {
  size_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) ++count;
  return count;
}

/// Makes an array of ours the environment, with room for more entries. False: no memory.
bool take_own_array(const cairn_host *host, size_t more) {
  size_t count = count_entries(), capacity = count + more + 1;
  if (own_array != nullptr && environ == own_array && capacity <= own_capacity) return true;
  capacity += kSpare;
  char **array = static_cast<char **>(host->allocate((capacity * sizeof(char *) + 15) & ~uint64_t{15}));
  if (array == nullptr) return false;
  for (size_t i = 0; i < count; ++i) array[i] = environ[i];
  environ = own_array = array;
  own_capacity = capacity;
  return true;
}

bool set_entry(const cairn_host *host, size_t index, char *string) {
  if (write_memory(host, &environ[index], &string, sizeof string)) return true;
  if (!take_own_array(host, 0)) return false;
  environ[index] = string;
  return true;
}

/// Takes the entries of a name at `from` and behind it out of the array. False: no memory.
bool take_out(const cairn_host *host, size_t from, const char *name) {
  size_t length = strlen(name), kept = from, index = from;
  for (; environ != nullptr && environ[index] != nullptr; ++index) {
    if (names(environ[index], name, length)) continue;
    if (kept != index && !set_entry(host, kept, environ[index])) return false;
    ++kept;
  }
  return kept == index || set_entry(host, kept, nullptr);
}

/// The index of a name's first entry; where there is none, of the array's end.
size_t find_entry(const char *name) {
  size_t length = strlen(name), index = 0;
  while (environ != nullptr && environ[index] != nullptr && !names(environ[index], name, length)) ++index;
  return index;
}

/// False: no memory.
bool give_value(const cairn_host *host, const char *name, const char *value, uint64_t now) {
  size_t length = strlen(name), size = strlen(value) + 1, index = find_entry(name);
  char *entry = environ != nullptr ? environ[index] : nullptr;
  bool always = changes_always(name, length);
  if (always && is_own_environment()) return true;
  if (entry == nullptr) {
    if (always) return true;  // the program does not want it in its environment
    char *string = make_string(host, name, length, value, 0);
    if (string == nullptr || !note(host, name, false, now) || !take_own_array(host, 1)) return false;
    environ[index] = string;
    environ[index + 1] = nullptr;
    return true;
  }
  if (strcmp(entry + length + 1, value) == 0) return true;
  size_t room = room_at(entry);
  if (always && room == 0) return true;  // a copy that the program made, and may free: it stays as it is
  if (!note(host, name, false, now)) return false;
  if (room < length + 1 + size || !write_memory(host, entry + length + 1, value, size)) {
    char *string = make_string(host, name, length, value, 0);
    if (string == nullptr || !set_entry(host, index, string)) return false;
  }
  return take_out(host, index + 1, name);
}

bool bad_name(const char *name) { return name[0] == 0 || strchr(name, '=') != nullptr; }

int32_t no_memory(const cairn_host *host) { return host->fail(-ENOMEM, "environ", "no memory for the new environment"); }

}  // namespace

int32_t apply(const cairn_host *host) {
  uint32_t set = count_settings(host, CAIRN_SETTING_ENVIRONMENT);
  uint32_t unset = count_settings(host, CAIRN_SETTING_ENVIRONMENT_UNSET);
  changes.count = 0;
  changes.restarted = true;
  if (set + unset == 0) return 0;

  changes.list = static_cast<Change *>(host->allocate(((set + unset) * sizeof(Change) + 15) & ~uint64_t{15}));
  if (changes.list == nullptr) return no_memory(host);
  struct timespec time = {};
  host->syscall(SYS_clock_gettime, CLOCK_REALTIME, reinterpret_cast<long>(&time), 0, 0, 0, 0);
  uint64_t now = static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);

  for (uint32_t i = 0; i < unset; ++i) {
    const char *name = host->setting(CAIRN_SETTING_ENVIRONMENT_UNSET, i, nullptr);
    if (bad_name(name)) return host->fail(-EINVAL, name, "this is no name of an environment variable");
    if (value_of(name) == nullptr) continue;
    if (!note(host, name, true, now) || !take_out(host, find_entry(name), name)) return no_memory(host);
  }
  for (uint32_t i = 0; i < set; ++i) {
    const char *value = nullptr;
    const char *name = host->setting(CAIRN_SETTING_ENVIRONMENT, i, &value);
    if (name == nullptr || bad_name(name)) return host->fail(-EINVAL, name, "this is no name of an environment variable");
    if (!give_value(host, name, value != nullptr ? value : "", now)) return no_memory(host);
  }
  return 0;
}

}  // namespace cairn::env
