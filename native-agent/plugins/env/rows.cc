// The table "env". [running, quiesced], on Cairn's own thread only: the buffers are static. The application's threads may change
// the environment, and free what it consisted of, at any moment; so it is read with process_vm_readv, which fails where a plain
// access would be a fault. What is shown is then a moment's view, not an invariant.
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "changes.h"
#include "history.h"

extern "C" char **environ;

namespace cairn::env {
namespace {

constexpr size_t kMaximumEntries = 65536;
constexpr size_t kMaximumString = 132 * 1024;  // the kernel's limit for one string is 128 KiB
constexpr size_t kPage = 4096;

char text[kMaximumString];
char *pointers[512];

/// Copies memory that may vanish; how much could be copied.
size_t read_memory(const cairn_host *host, const void *from, void *to, size_t size) {
  struct iovec local = {to, size};
  struct iovec remote = {const_cast<void *>(from), size};
  long copied = host->syscall(SYS_process_vm_readv, host->real_pid(), reinterpret_cast<long>(&local), 1,
                              reinterpret_cast<long>(&remote), 1, 0);
  return copied > 0 ? static_cast<size_t>(copied) : 0;
}

/// Reads a string into `text`, page by page because what follows its end may not be there. False: it is gone.
bool read_string(const cairn_host *host, const char *from) {
  size_t size = 0;
  while (size + 1 < sizeof text) {
    size_t count = kPage - (reinterpret_cast<uintptr_t>(from + size) & (kPage - 1));
    if (count > sizeof text - 1 - size) count = sizeof text - 1 - size;
    if (read_memory(host, from + size, text + size, count) < count) return false;
    if (memchr(text + size, 0, count) != nullptr) return true;
    size += count;
  }
  text[size] = 0;  // longer than any environment variable can be when a program starts
  return true;
}

bool is_cairns(const char *name) { return strncmp(name, "CAIRN_", 6) == 0 || strcmp(name, "LD_PRELOAD") == 0; }

const Change *find_change(const char *name) {
  for (uint32_t i = 0; i < changes.count; ++i)
    if (strcmp(changes.list[i].name, name) == 0) return &changes.list[i];
  return nullptr;
}

void emit_entry(cairn_emit_row emit, void *context) {
  char *equals = strchr(text, '=');
  if (equals == nullptr || equals == text) return;
  *equals = 0;
  const char *value = value_now(text, equals + 1);
  if (value == nullptr) return;  // removed: one of the rows at the end
  const Change *change = find_change(text);
  cairn_row row = {sizeof row, 0, text, value, changes.restarted ? value : "", "", 0};
  if (change != nullptr) {
    row.before = change->before != nullptr ? change->before : "";
    row.detail = change->before == nullptr ? "added" : "changed";
    row.since_ns = change->since_ns;
  }
  if (is_cairns(text)) row.detail = "cairn";
  emit(context, &row);
}

}  // namespace

void emit_rows(const cairn_host *host, cairn_emit_row emit, void *context) {
  char **from = __atomic_load_n(&environ, __ATOMIC_RELAXED);
  size_t index = 0;
  bool more = from != nullptr;
  while (more && index < kMaximumEntries) {
    // Not beyond the page's end: the array may end right there.
    size_t bytes = kPage - (reinterpret_cast<uintptr_t>(from + index) & (kPage - 1));
    if (bytes > sizeof pointers) bytes = sizeof pointers;
    size_t count = read_memory(host, from + index, pointers, bytes) / sizeof(char *);
    for (size_t i = 0; i < count && more; ++i) {
      more = pointers[i] != nullptr;
      if (more && read_string(host, pointers[i])) emit_entry(emit, context);
    }
    more = more && count != 0;
    index += count;
  }
  for (uint32_t i = 0; i < changes.count; ++i) {
    const Change &change = changes.list[i];
    if (!change.removed && change.before == nullptr && change.stands) {
      const char *value = value_now(change.name, nullptr);
      const cairn_row added = {sizeof added, 0, change.name, value != nullptr ? value : "", "", "added", change.since_ns};
      if (value != nullptr) emit(context, &added);
    }
    if (!change.removed) continue;
    const cairn_row row = {sizeof row, 0, change.name, "", change.before, "removed", change.since_ns};
    emit(context, &row);
  }
}

}  // namespace cairn::env
