// Owns: the plugin `process`: what belongs to the process as a whole and to each thread, beside memory, files and signals.
// What the new host does not permit is set as far as it goes, and the log says so; only a working directory that is gone ends
// a restart. Test: tests/process_plugin_test.cc.
#include <errno.h>

#include "common/restricted.h"
#include "process/parts.h"

namespace cairn::process {

namespace {

const cairn_host* host = nullptr;
bool saved = false;

int32_t save() {
  saved = false;
  if (plugin::restricted_by_landlock) {
    return host->fail(-ENOTSUP, "landlock",
                      "The process has restricted itself by Landlock (landlock_restrict_self), or has that from who started it. No restart could do that "
                      "again, and it would run without that protection. Checkpoint before it does that, or when it has ended.");
  }
  int32_t error = check_sharing(host);
  if (error == 0) error = check_filters(host);
  if (error == 0) error = save_folder(host);
  if (error == 0) error = save_limits(host);
  if (error == 0) error = save_threads(host);
  if (error == 0) error = save_flags(host);
  saved = error == 0;
  return error;
}

int32_t restore() {
  note_filters(host);
  if (!saved) return 0;
  compare_filters(host);
  int32_t error = restore_folder(host);
  if (error == 0) error = restore_limits(host);
  if (error == 0) error = restore_threads(host);
  if (error == 0) error = restore_flags(host);  // last: an undumpable process cannot write its own files in /proc
  return error;
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  plugin::find_restriction(given);
  note_filters(given);
  return 0;
}

int32_t event(uint32_t number, void*) { return number == CAIRN_EVENT_PRECHECKPOINT ? save() : 0; }

const char* const restart_barriers[] = {"attributes", nullptr};

/// When the descriptors are back: limits could forbid opening them, and an undumpable process gives none to others.
int32_t barrier(const char*, uint32_t) { return restore(); }

}  // namespace

}  // namespace cairn::process

extern "C" const struct cairn_plugin cairn_plugin_process = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "process", "1.0.0", "Cairn",
    cairn::process::init, cairn::process::event,  nullptr,                nullptr, cairn::process::restart_barriers, cairn::process::barrier};
