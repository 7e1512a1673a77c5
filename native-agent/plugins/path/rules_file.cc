#include "rules_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/text.h"
#include "mapping.h"
#include "state.h"
#include "table.h"

namespace cairn::path {
namespace {

// Records of fields that end with a zero each: the kind, then its fields. "P" from, to; "L" root, folder; "X" path; "W" path, number of
// the layer below which it was removed in an earlier restart.

/// The folder of the agent's socket: at a restart the variable is still that of the session before.
const char *socket_path() {
  const char *value = nullptr;
  for (uint32_t i = 0; const char *key = state.host->setting(CAIRN_SETTING_ENVIRONMENT, i, &value); ++i)
    if (strcmp(key, "CAIRN_AGENT_SOCKET") == 0) return value;
  return environment_variable("CAIRN_AGENT_SOCKET");
}

bool rules_path(PathText &path) {
  const char *socket = socket_path();
  const char *slash = socket != nullptr ? strrchr(socket, '/') : nullptr;
  return slash != nullptr && path.assign(socket, static_cast<size_t>(slash - socket)) && path.append("/paths");
}

int32_t number_of(const char *text) {
  int32_t number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
  return number;
}

/// As many as there are: a run may have removed thousands of files.
class Writer {
 public:
  explicit Writer(long fd) : fd_(fd) {}
  void add(const char *kind, const char *one, size_t one_length, const char *two = nullptr, size_t two_length = 0) {
    field(kind, 1);
    field(one, one_length);
    if (two != nullptr) field(two, two_length);
  }
  /// 0, or why something could not be written.
  int32_t finish() {
    flush();
    return error_;
  }

 private:
  void field(const char *bytes, size_t count) {
    put(bytes, count);
    put("", 1);
  }
  void put(const char *bytes, size_t count) {
    while (count > 0) {
      if (used_ == sizeof text_) flush();
      size_t part = count < sizeof text_ - used_ ? count : sizeof text_ - used_;
      memcpy(text_ + used_, bytes, part);
      used_ += part;
      bytes += part;
      count -= part;
    }
  }
  void flush() {
    for (size_t at = 0; at < used_ && error_ == 0;) {
      long written = sys(SYS_write, fd_, text_ + at, used_ - at);
      if (written > 0) at += static_cast<size_t>(written);
      else error_ = written < 0 ? static_cast<int32_t>(written) : -ENOSPC;
    }
    used_ = 0;
  }
  long fd_;
  int32_t error_ = 0;
  size_t used_ = 0;
  char text_[4096];
};

}  // namespace

int32_t write_rules() {
  PathText path, beside;
  if (!rules_path(path) || !beside.assign(path) || !beside.append(".new")) return 0;
  long fd = sys(SYS_openat, AT_FDCWD, beside.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return static_cast<int32_t>(fd);
  Writer writer(fd);
  for (uint32_t i = 0; i < state.prefixes; ++i)
    writer.add("P", state.prefix[i].from, state.prefix[i].from_length, state.prefix[i].to, state.prefix[i].to_length);
  for (uint32_t i = 0; i < state.layers; ++i)
    writer.add("L", state.layer[i].root, state.layer[i].root_length, state.layer[i].folder, state.layer[i].folder_length);
  for (uint32_t i = 0; i < state.excluded; ++i) writer.add("X", state.exclude[i], strlen(state.exclude[i]));
  for (const Entry *entry = newest(); entry != nullptr; entry = entry->older) {
    if (entry->kind != Kind::kWhiteout) continue;
    PathText number;
    (void)number.append_number(static_cast<uint64_t>(entry->layer));
    writer.add("W", entry->key, entry->key_length, number.text, number.length);
  }
  int32_t error = writer.finish();
  sys(SYS_close, fd);
  if (error != 0) return error;
  return static_cast<int32_t>(sys(SYS_renameat, AT_FDCWD, beside.text, AT_FDCWD, path.text));
}

void read_rules() {
  PathText path;
  if (!rules_path(path)) return;
  long fd = sys(SYS_openat, AT_FDCWD, path.text, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  int64_t size = sys(SYS_lseek, fd, 0, SEEK_END);
  // What it says is copied.
  long mapped = size > 0 ? sys(SYS_mmap, 0, size, PROT_READ, MAP_PRIVATE, fd, 0) : -1;
  sys(SYS_close, fd);
  if (mapped < 0 && mapped > -4096) return;
  const char *text = reinterpret_cast<const char *>(mapped);
  state.restarted_ns = now_ns();
  for (const char *at = text, *end = text + size; at < end;) {
    const char *kind = at;
    const char *one = kind + strlen(kind) + 1;
    const char *two = one + strlen(one) + 1;
    at = kind[0] == 'X' ? two : two + strlen(two) + 1;
    if (at > end) break;
    if (kind[0] == 'P') (void)add_prefix(one, two);
    else if (kind[0] == 'L') (void)add_layer(one, strlen(one), two, strlen(two));
    else if (kind[0] == 'W') (void)insert(Kind::kWhiteout, one, strlen(one), "", number_of(two), "", state.restarted_ns, false);
    else (void)exclude(one, strlen(one));
  }
  sys(SYS_munmap, mapped, size);
  state.restarted = true;
  __atomic_store_n(&active, 1u, __ATOMIC_RELEASE);
}

}  // namespace cairn::path
