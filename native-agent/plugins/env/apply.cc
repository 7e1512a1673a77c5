// Giving variables new values, at a restart or, for programs named in a setting, at their start. [init, restoring]: no thread
// runs, memory comes from the host. The application's array stays where it is (array.h): a value is written over the old one where
// it fits, else its entry is changed. What is the program's own is left as it is, and getenv() wrapped for it (history.h). The order
// is kept, new ones come at the end; of several entries with one name, of which getenv sees the first, one is left where the value changes.
// Tests: tests/env_plugin_test.cc, test/probes/attributes/environment_kept.c.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "array.h"
#include "changes.h"
#include "history.h"
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
    if (names(*entry, name, length)) return value_now(name, *entry + length + 1);
  return value_now(name, nullptr);
}

const char *copy_of(const cairn_host *host, const char *text) {
  size_t length = strlen(text);
  char *copy = static_cast<char *>(host->allocate((length + 16) & ~uint64_t{15}));
  if (copy != nullptr) memcpy(copy, text, length);
  return copy;
}

/// `entry`: what it will be, or null.
bool note(const cairn_host *host, const char *name, const char *entry, uint64_t now) {
  const char *value = value_of(name);
  bool removed = entry == nullptr;
  for (uint32_t i = 0; i < changes.count; ++i)
    if (strcmp(changes.list[i].name, name) == 0) {  // named twice: the last one counts
      changes.list[i].removed = removed;
      return changes_always(name, strlen(name)) || remember(host, name, changes.list[i].before, entry);
    }
  const char *before = value != nullptr ? copy_of(host, value) : nullptr;  // the application may free its own
  const char *copy = copy_of(host, name);
  if (copy == nullptr || (value != nullptr && before == nullptr)) return false;
  changes.list[changes.count++] = {copy, before, removed, false, now};
  return changes_always(name, strlen(name)) || remember(host, name, before, entry);
}

uint32_t count_settings(const cairn_host *host, uint32_t kind) {
  uint32_t count = 0;
  while (host->setting(kind, count, nullptr) != nullptr) ++count;
  return count;
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
  if (entry == nullptr && always) return true;  // the program does not want it in its environment
  if (entry != nullptr && strcmp(entry + length + 1, value) == 0) return true;
  size_t room = entry != nullptr ? room_at(entry) : 0;
  if (always && room == 0) return true;
  char *string = make_string(host, name, length, value, 0);
  if (string == nullptr || !note(host, name, string, now)) return false;
  if (!may_change()) {
    changes.list[changes.count - 1].stands = true;
    stand_for(name);
    return true;
  }
  if (entry == nullptr) return append_entry(host, string);
  if ((room < length + 1 + size || !write_memory(host, entry + length + 1, value, size)) && !set_entry(host, index, string)) return false;
  return take_out(host, index + 1, name);
}

bool remove_variable(const cairn_host *host, const char *name, uint64_t now) {
  size_t index = find_entry(name);
  if (environ == nullptr || environ[index] == nullptr) return true;
  if (!note(host, name, nullptr, now)) return false;
  if (may_change()) return take_out(host, index, name);
  stand_for(name);
  return true;
}

bool bad_name(const char *name) { return name[0] == 0 || strchr(name, '=') != nullptr; }

int32_t no_memory(const cairn_host *host) { return host->fail(-ENOMEM, "environ", "no memory for the new environment"); }

}  // namespace

int32_t apply(const cairn_host *host, bool restarted) {
  uint32_t set = count_settings(host, CAIRN_SETTING_ENVIRONMENT);
  uint32_t unset = count_settings(host, CAIRN_SETTING_ENVIRONMENT_UNSET);
  changes.count = 0;
  changes.restarted = restarted;
  if (set + unset == 0) return 0;

  changes.list = static_cast<Change *>(host->allocate(((set + unset) * sizeof(Change) + 15) & ~uint64_t{15}));
  if (changes.list == nullptr) return no_memory(host);
  struct timespec time = {};
  host->syscall(SYS_clock_gettime, CLOCK_REALTIME, reinterpret_cast<long>(&time), 0, 0, 0, 0);
  uint64_t now = static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);

  for (uint32_t i = 0; i < unset; ++i) {
    const char *name = host->setting(CAIRN_SETTING_ENVIRONMENT_UNSET, i, nullptr);
    if (bad_name(name)) return host->fail(-EINVAL, name, "this is no name of an environment variable");
    if (!remove_variable(host, name, now)) return no_memory(host);
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
