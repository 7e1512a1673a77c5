#include "array.h"

#include <elf.h>
#include <string.h>

#include "common/text.h"
#include "places.h"

// Bound as every library's reference is: to the program's own copy where it has one.
extern "C" char **environ;

namespace cairn::env {
namespace {

constexpr size_t kSpare = 64;  // entries that an array of ours has room for beyond its need
constexpr size_t kAuxiliary = 128;

char **own_array;
size_t own_capacity;  // without the auxiliary vector
uintptr_t auxiliary[kAuxiliary];
size_t auxiliary_size;  // in words; 0: unknown

size_t count_entries() {
  size_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) ++count;
  return count;
}

void read_auxiliary(const cairn_host *host) {
  // A vector that does not fit is of no use in part.
  long size = plugin::read_file(host, "/proc/self/auxv", reinterpret_cast<char *>(auxiliary), sizeof auxiliary);
  auxiliary_size = size > 0 ? static_cast<size_t>(size) / sizeof auxiliary[0] : 0;
}

bool take_array(const cairn_host *host, size_t more) {
  size_t count = count_entries(), capacity = count + 1 + more + kSpare;
  char **array = static_cast<char **>(host->allocate(((capacity + kAuxiliary) * sizeof(char *) + 15) & ~uint64_t{15}));
  if (array == nullptr) return false;
  for (size_t i = 0; i < count; ++i) array[i] = environ[i];
  memcpy(array + count + 1, auxiliary, auxiliary_size * sizeof auxiliary[0]);
  environ = own_array = array;
  own_capacity = capacity;
  return true;
}

}  // namespace

void take_array_at_start(const cairn_host *host) {
  if (environ == nullptr) return;
  read_auxiliary(host);
  (void)take_array(host, 0);
}

bool may_change() {
  if (environ == nullptr || environ == own_array || *environ == nullptr) return true;
  for (char **entry = environ; *entry != nullptr; ++entry)
    if (room_at(*entry) != 0) return true;
  return false;
}

bool append_entry(const cairn_host *host, char *string) {
  size_t count = count_entries();
  if ((environ != own_array || own_array == nullptr || count + 2 > own_capacity) && !take_array(host, 1)) return false;
  memcpy(environ + count + 2, auxiliary, auxiliary_size * sizeof auxiliary[0]);
  environ[count + 1] = nullptr;
  environ[count] = string;
  return true;
}

bool set_entry(const cairn_host *host, size_t index, char *string) {
  if (write_memory(host, &environ[index], &string, sizeof string)) return true;
  if (!take_array(host, 0)) return false;
  environ[index] = string;
  return true;
}

}  // namespace cairn::env
