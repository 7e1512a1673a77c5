// The built-in plugin `file`: open files, directories and plain devices of the process. What an
// application writes goes with the snapshot; what it only reads must be there unchanged at a restart.
// Here: events, content to keep, shared mappings. The table: descriptors.h; the way back: restart.h; locks: locks.h.
// Numbers and sharing of descriptors are the plugin `descriptor`'s.
// Tests: test/probes (files).
#include <errno.h>
#include <sys/mman.h>

#include "attributes.h"
#include "descriptors.h"
#include "locks.h"
#include "restart.h"
#include "shm.h"

namespace cairn::file {

const cairn_host* host;
Table table;

namespace {

/// Content that is only ever added to needs no copy while the application waits: it was written to its end, and by descriptors
/// that can neither read nor have it mapped.
uint32_t how_to_keep(const OpenFile& file) {
  if (written(file) == Written::anywhere) return CAIRN_KEEP_NOW;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    const OpenFile& other = table.files[i];
    if (other.device != file.device || other.inode != file.inode) continue;
    bool appends = (other.status_flags & O_ACCMODE) == O_WRONLY && (other.offset == file.size || (other.status_flags & O_APPEND) != 0);
    bool reads = (other.status_flags & O_ACCMODE) == O_RDONLY;
    if (!appends && !reads) return CAIRN_KEEP_NOW;
  }
  return CAIRN_KEEP_PREFIX;
}

int32_t keep_contents() {
  for (uint32_t i = 0; i < table.file_count; ++i) {
    OpenFile* file = &table.files[i];
    // A file that some process has open for writing, too, is one of those whose content comes back.
    bool by_rule = file->rule == Rule::check || file->rule == Rule::ignore;
    if (!by_rule && file->kind == Kind::regular && written(*file) != Written::never) file->kind = Kind::kept;
    for (uint32_t other = 0; !by_rule && file->kind == Kind::regular && other < table.file_count; ++other) {
      const OpenFile& same = table.files[other];
      if (same.kind == Kind::kept && same.device == file->device && same.inode == file->inode) file->kind = Kind::kept;
    }
    if (file->kind != Kind::kept || file->elsewhere) continue;
    for (uint32_t earlier = 0; earlier < i && file->kept < 0; ++earlier) {
      const OpenFile& other = table.files[earlier];
      if (other.kept >= 0 && other.device == file->device && other.inode == file->inode) file->kept = other.kept;
    }
    if (file->kept >= 0) continue;
    int32_t kept = host->keep_file(file->descriptor, file->size, how_to_keep(*file));
    if (kept < 0) return kept;
    if (int32_t error = save_attributes(file, file->descriptor)) return error;
    file->kept = kept;
  }
  return 0;
}

/// What a restart will bring back, or ask for.
void tell_files() {
  for (uint32_t i = 0; i < table.file_count; ++i) {
    const OpenFile& file = table.files[i];
    bool regular = file.kind == Kind::regular && file.mtime_ns != 0;
    if (file.elsewhere || file.unlinked || (!regular && file.kind != Kind::kept)) continue;
    uint32_t how = file.kind == Kind::kept ? CAIRN_FILE_SAVED : file.rule == Rule::ignore ? CAIRN_FILE_IGNORED : CAIRN_FILE_CHECKED;
    host->list_file(file.path, file.real, file.size, file.mtime_ns, how);
  }
}

int32_t claim(cairn_mapping* mapping) {
  for (int pass = 0; pass < 2; ++pass) {
    for (uint32_t i = 0; i < table.file_count; ++i) {
      const OpenFile& file = table.files[i];
      if (file.inode != mapping->inode || file.device != mapping->device) continue;
      if ((file.kind != Kind::kept && file.kind != Kind::regular) || file.descriptor < 0) continue;
      // Preferably one that can be mapped as it is.
      if (pass == 0 && (file.status_flags & O_ACCMODE) != O_RDWR) continue;
      mapping->token = i;
      return 1;
    }
  }
  return claim_unopened(mapping);
}

int32_t save() {
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  char folder[4096];
  if (sys(SYS_getcwd, pointer(folder), sizeof folder) > 0) (void)paths->to_virtual(folder, table.folder, sizeof table.folder);
  int32_t error = keep_contents();
  if (error == 0) tell_files();
  return error;
}

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  auto* mapping = static_cast<cairn_mapping*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      forget_files();
      forget_locks();
      forget_attributes();
      return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: {
      int32_t claimed = claim_file(descriptor);
      return claimed == 1 ? save_locks(*descriptor) : claimed;
    }
    case CAIRN_EVENT_PRECHECKPOINT:
      return save();
    case CAIRN_EVENT_RESTART:
      return restore_contents();
    case CAIRN_EVENT_DESCRIPTOR_RESTORE:
      descriptor->fd = open_again(static_cast<uint32_t>(descriptor->token));
      return descriptor->fd < 0 ? descriptor->fd : 0;
    case CAIRN_EVENT_MAPPING_SAVE:
      return claim(mapping);
    case CAIRN_EVENT_MAPPING_CONTENT:
      return goes_along(*mapping) ? 1 : 0;
    case CAIRN_EVENT_MAPPING_RESTORE:
      mapping->fd = open_for_mapping(static_cast<uint32_t>(mapping->token), mapping->protection, &mapping->close_fd);
      if (mapping->fd >= 0) return 0;
      return host->fail(mapping->fd, table.files[mapping->token].path, "a file that was mapped cannot be opened again");
    default:
      return 0;
  }
}

const char* const restart_barriers[] = {"finish", nullptr};

/// After the mappings: closing a descriptor on the way would have given the locks up.
int32_t barrier(const char*, uint32_t) {
  remove_unlinked();
  return lock_again();
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  prepare_shm_calls();
  return 0;
}

}  // namespace
}  // namespace cairn::file

extern "C" const struct cairn_plugin cairn_plugin_file = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "file", "1.0", "Cairn", cairn::file::init,
    cairn::file::event, nullptr, nullptr, cairn::file::restart_barriers, cairn::file::barrier,
};
