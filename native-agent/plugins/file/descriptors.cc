#include "descriptors.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "common/handles.h"

namespace cairn::file {
namespace {

// Paths of one checkpoint; begun anew by the next.
constexpr uint64_t pool_size = 1 << 20;
char* pool = nullptr;
uint64_t pool_used = 0;

// A space of the shared names: device and inode → Written. What was written once counts as written; that only costs a copy.
constexpr uint32_t written_files = plugin::name_space("file written");

int64_t key_of(const OpenFile& file) { return plugin::file_key(file.device, file.inode); }

void tell_written(const OpenFile& file) {
  bool appends = (file.status_flags & O_ACCMODE) == O_WRONLY && (file.offset == file.size || (file.status_flags & O_APPEND) != 0);
  if (!appends) host->set_name(written_files, key_of(file), static_cast<int64_t>(Written::anywhere));
  int64_t known = 0;
  if (appends) host->claim_name(written_files, key_of(file), static_cast<int64_t>(Written::at_its_end), &known);
}

bool known_device(const cairn_descriptor& offer) {
  if (!S_ISCHR(offer.mode)) return false;
  uint32_t minor_number = minor(offer.rdev);
  return major(offer.rdev) == 1 && (minor_number == 3 || minor_number == 5 || minor_number == 7 || minor_number == 8 || minor_number == 9);
}

/// What has no name any more has no other place to stay.
void apply_rule(OpenFile* file) {
  bool pseudo = file->kind == Kind::regular && file->mtime_ns == 0;
  if (file->unlinked || pseudo) return;
  file->rule = rule_of(host, file->path);
  if (file->rule != Rule::none) file->kind = file->rule == Rule::save ? Kind::kept : Kind::regular;
}

bool classify(const cairn_descriptor& offer, OpenFile* file) {
  const char* rest;
  if (S_ISREG(offer.mode)) {
    if (plugin::begins(offer.path, "/memfd:", &rest)) return false;
    bool writes = (offer.status_flags & O_ACCMODE) != O_RDONLY;
    bool pseudo = plugin::begins(offer.path, "/proc/", &rest) || plugin::begins(offer.path, "/sys/", &rest);
    file->kind = (writes || file->unlinked) && !pseudo ? Kind::kept : Kind::regular;
    if (pseudo) file->size = file->mtime_ns = 0;
    return true;
  }
  file->kind = S_ISDIR(offer.mode) ? Kind::directory : Kind::device;
  return S_ISDIR(offer.mode) || known_device(offer);
}

}  // namespace

const char* remember_path(const char* path) {
  uint64_t size = plugin::length_of(path) + 1;
  if (pool == nullptr) pool = static_cast<char*>(host->allocate(pool_size));
  if (pool == nullptr || pool_used + size > pool_size) return nullptr;
  char* copy = pool + pool_used;
  for (uint64_t i = 0; i < size; ++i) copy[i] = path[i];
  pool_used += size;
  return copy;
}

void forget_files() {
  table.file_count = 0;
  pool_used = 0;
  table.folder[0] = 0;
}

int32_t claim_file(cairn_descriptor* offer) {
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  struct stat64 status = {};
  if (long error = sys(SYS_fstat, offer->fd, pointer(&status)); error < 0) return 0;
  if (table.file_count == max_files) return 0;
  OpenFile* file = &table.files[table.file_count];
  *file = {};
  file->descriptor = offer->fd;
  file->status_flags = offer->status_flags;
  file->kept = -1;
  file->mode = offer->mode;
  file->size = static_cast<uint64_t>(status.st_size);
  file->mtime_ns = change_time(status);
  file->device = offer->device;
  file->inode = offer->inode;
  file->shown_device = offer->device;
  file->shown_inode = offer->inode;
  paths->shown_numbers(&file->shown_device, &file->shown_inode);
  file->unlinked = offer->deleted != 0;
  file->elsewhere = offer->elsewhere != 0;
  if (!classify(*offer, file)) return 0;
  int64_t offset = sys(SYS_lseek, offer->fd, 0, SEEK_CUR);
  file->offset = offset < 0 ? 0 : static_cast<uint64_t>(offset);
  char virtual_path[4096];
  bool translated = offer->path[0] == '/' && paths->to_virtual(offer->path, virtual_path, sizeof virtual_path) >= 0;
  file->path = remember_path(translated ? virtual_path : offer->path);
  if (file->path != nullptr && S_ISREG(offer->mode)) apply_rule(file);
  if (file->path == nullptr) return host->fail(-ENOMEM, "descriptors", "the paths of the open files are too long altogether");
  if (translated && !plugin::same(virtual_path, offer->path)) file->real = remember_path(offer->path);
  if (file->kind == Kind::kept && (file->status_flags & O_ACCMODE) != O_RDONLY) tell_written(*file);
  offer->token = table.file_count++;
  return 1;
}

Written written(const OpenFile& file) {
  int64_t how = 0;
  return host->get_name(written_files, key_of(file), &how) == 0 ? static_cast<Written>(how) : Written::never;
}

}  // namespace cairn::file
