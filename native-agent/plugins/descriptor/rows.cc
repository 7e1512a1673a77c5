// The table "fd": the descriptors as they are now, with the paths that the application knows. Context: running or quiesced.
#include <errno.h>

#include "descriptor/before.h"
#include "descriptor/table.h"

namespace cairn::descriptor {
namespace {

struct Emitter {
  cairn_emit_row emit;
  void* context;
};

const char* access_name(long flags) {
  switch (flags & O_ACCMODE) {
    case O_RDONLY: return "read";
    case O_WRONLY: return "write";
    default: return "read, write";
  }
}

int32_t emit_descriptor(int32_t number, void* data) {
  auto* emitter = static_cast<Emitter*>(data);
  struct stat64 status = {};
  if (sys(SYS_fstat, number, pointer(&status)) < 0) return 0;
  char real[4096], virtual_path[4096];
  bool deleted = false;
  if (path_of(number, real, sizeof real, &deleted) < 0) return 0;
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  bool translated = real[0] == '/' && paths != nullptr && paths->to_virtual(real, virtual_path, sizeof virtual_path) >= 0;
  long flags = sys(SYS_fcntl, number, F_GETFL);
  Text<8300> shown, target, detail;
  shown.add(number);
  target.add(real);
  detail.add(kind_name(status.st_mode, real)).add(", ").add(access_name(flags));
  if ((flags & O_APPEND) != 0) detail.add(", append");
  if ((flags & O_NONBLOCK) != 0) detail.add(", non-blocking");
  if (deleted) detail.add(", unlinked");
  if (S_ISREG(status.st_mode)) detail.add(", offset ").add(static_cast<int64_t>(sys(SYS_lseek, number, 0, SEEK_CUR)));
  if (translated && !plugin::same(real, virtual_path)) detail.add(", known as ").add(virtual_path);
  const char* before = name_before(number, status);
  const cairn_row row = {sizeof row, 0, shown.text(), target.text(), before != nullptr ? before : "", detail.text(),
                         before != nullptr ? restarted_since() : 0};
  emitter->emit(emitter->context, &row);
  return 0;
}

}  // namespace

void rows(const char* name, cairn_emit_row emit, void* context) {
  if (!plugin::same(name, "fd")) return;
  Emitter emitter = {emit, context};
  (void)for_each_descriptor(0, emit_descriptor, &emitter);
}

}  // namespace cairn::descriptor
