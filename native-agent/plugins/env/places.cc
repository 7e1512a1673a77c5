#include "places.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "array.h"

extern "C" char **environ;

namespace cairn::env {
namespace {

// A path of the longest kind fits: Linux has no longer ones.
constexpr size_t kAmpleRoom = 4096 + 64;
const char *const kAlways[] = {"CAIRN_AGENT_SOCKET", "CAIRN_COMPUTATION", "CAIRN_SESSION", "CAIRN_STORE"};

struct Place {
  Place *next;
  size_t room;
  char text[];
};
Place *places;  // ours
const char *initial_start, *initial_end;
bool own_environment = false;  // of a program that was attached

/// The 50th and 51st field of /proc/self/stat: where the kernel put the environment.
void read_extent(const cairn_host *host) {
  static char line[2048];
  long fd = host->syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>("/proc/self/stat"), O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return;
  long size = host->syscall(SYS_read, fd, reinterpret_cast<long>(line), sizeof line - 1, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  line[size > 0 ? size : 0] = 0;
  const char *at = strrchr(line, ')');  // the second field may hold spaces
  if (at == nullptr) return;
  uintptr_t values[2] = {0, 0};
  for (unsigned field = 2; field < 51 && *at != 0; ++at) {
    if (*at == ' ') ++field;
    else if (field >= 50 && *at >= '0' && *at <= '9') values[field - 50] = values[field - 50] * 10 + static_cast<uintptr_t>(*at - '0');
  }
  // The loop ends at the blank before the 51st.
  for (; *at >= '0' && *at <= '9'; ++at) values[1] = values[1] * 10 + static_cast<uintptr_t>(*at - '0');
  initial_start = reinterpret_cast<const char *>(values[0]);
  initial_end = reinterpret_cast<const char *>(values[1]);
}

bool is_initial(const char *string) { return string >= initial_start && string < initial_end; }

}  // namespace

bool is_own_environment() { return own_environment; }

bool changes_always(const char *name, size_t length) {
  for (const char *one : kAlways)
    if (strncmp(name, one, length) == 0 && one[length] == 0) return true;
  return false;
}

size_t room_at(const char *string) {
  for (const Place *place = places; place != nullptr; place = place->next)
    if (place->text == string) return place->room;
  return is_initial(string) ? strlen(string) + 1 : 0;
}

char *make_string(const cairn_host *host, const char *name, size_t length, const char *value, size_t room) {
  size_t value_length = strlen(value);
  if (room < length + value_length + 2) room = length + value_length + 2;
  auto *place = static_cast<Place *>(host->allocate((sizeof(Place) + room + 15) & ~uint64_t{15}));
  if (place == nullptr) return nullptr;
  *place = {places, room};
  places = place;
  memcpy(place->text, name, length);
  place->text[length] = '=';
  memcpy(place->text + length + 1, value, value_length + 1);
  return place->text;
}

bool write_memory(const cairn_host *host, void *to, const void *from, size_t size) {
  struct iovec local = {const_cast<void *>(from), size};
  struct iovec remote = {to, size};
  long written = host->syscall(SYS_process_vm_writev, host->real_pid(), reinterpret_cast<long>(&local), 1,
                               reinterpret_cast<long>(&remote), 1, 0);
  if (written == -EFAULT || (written >= 0 && written < static_cast<long>(size))) return false;
  if (written < 0) memcpy(to, from, size);  // a sandbox forbids the call: read-only environments are rarer than those
  return true;
}

int32_t find_places(const cairn_host *host) {
  read_extent(host);
  own_environment = plugin::option(host, "attached") != nullptr;
  if (own_environment) return 0;
  take_array_at_start(host);
  for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const char *equals = strchr(*entry, '=');
    if (equals == nullptr || !is_initial(*entry)) continue;
    size_t length = static_cast<size_t>(equals - *entry);
    if (!changes_always(*entry, length)) continue;
    char *string = make_string(host, *entry, length, equals + 1, kAmpleRoom);
    if (string == nullptr) return -ENOMEM;
    if (!write_memory(host, entry, &string, sizeof string)) return 0;
  }
  return 0;
}

}  // namespace cairn::env
