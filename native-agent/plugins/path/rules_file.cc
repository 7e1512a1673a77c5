#include "rules_file.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "mapping.h"
#include "state.h"

namespace cairn::path {
namespace {

// Records of fields that end with a zero each: the kind, then its fields. "P" from, to; "L" root, folder; "X" path.
constexpr uint64_t kCapacity = 1 << 20;

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

class Writer {
 public:
  explicit Writer(char *text) : text_(text) {}
  void add(const char *kind, const char *one, size_t one_length, const char *two = nullptr, size_t two_length = 0) {
    field(kind, 1);
    field(one, one_length);
    if (two != nullptr) field(two, two_length);
  }
  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  void field(const char *bytes, size_t count) {
    fits_ = fits_ && size_ + count + 1 <= kCapacity;
    if (!fits_) return;
    memcpy(text_ + size_, bytes, count);
    size_ += count;
    text_[size_++] = 0;
  }
  char *text_;
  uint64_t size_ = 0;
  bool fits_ = true;
};

}  // namespace

int32_t write_rules() {
  PathText path, beside;
  if (!rules_path(path) || !beside.assign(path) || !beside.append(".new")) return 0;
  static char *text = nullptr;
  if (text == nullptr) text = static_cast<char *>(state.host->allocate(kCapacity));
  if (text == nullptr) return -ENOMEM;
  Writer writer(text);
  for (uint32_t i = 0; i < state.prefixes; ++i)
    writer.add("P", state.prefix[i].from, state.prefix[i].from_length, state.prefix[i].to, state.prefix[i].to_length);
  for (uint32_t i = 0; i < state.layers; ++i)
    writer.add("L", state.layer[i].root, state.layer[i].root_length, state.layer[i].folder, state.layer[i].folder_length);
  for (uint32_t i = 0; i < state.excluded; ++i) writer.add("X", state.exclude[i], strlen(state.exclude[i]));
  if (!writer.fits()) return -EFBIG;
  long fd = sys(SYS_openat, AT_FDCWD, beside.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return static_cast<int32_t>(fd);
  long written = sys(SYS_write, fd, text, writer.size());
  sys(SYS_close, fd);
  // Its content again is zero, so that it costs nothing in an image.
  memset(text, 0, writer.size());
  if (written != static_cast<long>(writer.size())) return written < 0 ? static_cast<int32_t>(written) : -ENOSPC;
  return static_cast<int32_t>(sys(SYS_renameat, AT_FDCWD, beside.text, AT_FDCWD, path.text));
}

void read_rules() {
  PathText path;
  if (!rules_path(path)) return;
  long fd = sys(SYS_openat, AT_FDCWD, path.text, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  int64_t size = sys(SYS_lseek, fd, 0, SEEK_END);
  char *text = size > 0 ? static_cast<char *>(state.host->allocate((static_cast<uint64_t>(size) + 16) & ~uint64_t{15})) : nullptr;
  bool whole = text != nullptr && sys(SYS_pread64, fd, text, size, 0) == size;
  sys(SYS_close, fd);
  if (!whole) return;
  state.restarted_ns = now_ns();
  for (const char *at = text, *end = text + size; at < end;) {
    const char *kind = at;
    const char *one = kind + strlen(kind) + 1;
    const char *two = one + strlen(one) + 1;
    at = kind[0] == 'X' ? two : two + strlen(two) + 1;
    if (at > end) break;
    if (kind[0] == 'P') (void)add_prefix(one, two);
    else if (kind[0] == 'L') (void)add_layer(one, strlen(one), two, strlen(two));
    else (void)exclude(one, strlen(one));
  }
  state.restarted = true;
  __atomic_store_n(&active, 1u, __ATOMIC_RELEASE);
}

}  // namespace cairn::path
