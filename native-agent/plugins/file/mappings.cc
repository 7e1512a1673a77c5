// Shared mappings of files whose descriptors were closed after mmap: the mapping is all that is left of them.
#include <errno.h>
#include <sys/mman.h>

#include "attributes.h"
#include "descriptors.h"
#include "shm.h"

namespace cairn::file {
namespace {

/// Entries without a descriptor follow those of the descriptors; their paths are kept per checkpoint.
constexpr uint32_t max_paths = 256;
struct PathText {
  char text[512];
};
PathText* path_texts = nullptr;

const char* keep_path(const char* path, uint32_t index) {
  if (path_texts == nullptr) path_texts = static_cast<PathText*>(host->allocate(max_paths * sizeof(PathText)));
  size_t size = plugin::length_of(path);
  if (path_texts == nullptr || index >= max_paths || size >= sizeof path_texts[0].text) return nullptr;
  for (size_t i = 0; i <= size; ++i) path_texts[index].text[i] = path[i];
  return path_texts[index].text;
}

uint32_t unopened_count(uint64_t inode, uint64_t device, uint32_t* existing) {
  uint32_t count = 0;
  *existing = max_files;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    if (table.files[i].descriptor >= 0) continue;
    ++count;
    if (table.files[i].inode == inode && table.files[i].device == device) *existing = i;
  }
  return count;
}

void tell_file(const OpenFile& file, const char* real) {
  uint32_t how = file.kind == Kind::kept ? CAIRN_FILE_SAVED : file.rule == Rule::ignore ? CAIRN_FILE_IGNORED : CAIRN_FILE_CHECKED;
  host->list_file(file.path, plugin::same(real, file.path) ? nullptr : remember_path(real), file.size, file.mtime_ns, how);
}

/// What somebody of the computation writes to comes back from the snapshot, but only when the memory is there.
bool is_written_to(const cairn_mapping& mapping) {
  OpenFile file = {};
  file.device = mapping.device;
  file.inode = mapping.inode;
  // Some file systems have another device in the kernel's list of mappings than for whoever has the file open.
  struct stat status = {};
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(mapping.path), pointer(&status), 0) == 0 && status.st_ino == mapping.inode) file.device = status.st_dev;
  return mapping.path[0] == '/' && written(file) != Written::never;
}

}  // namespace

bool goes_along(const cairn_mapping& mapping) {
  if (is_written_to(mapping)) return true;
  if (mapping.path[0] != '/' || plugin::option(host, "files") == nullptr) return false;
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  char path[4096];
  if (paths->to_virtual(mapping.path, path, sizeof path) < 0 || rule_of(host, path) != Rule::save) return false;
  // Its parts come one after the other.
  static uint64_t told_inode = 0;
  struct stat64 status = {};
  if (mapping.inode == told_inode || sys(SYS_newfstatat, AT_FDCWD, pointer(mapping.path), pointer(&status), 0) < 0) return true;
  told_inode = mapping.inode;
  if (const char* kept = remember_path(path)) host->list_file(kept, nullptr, static_cast<uint64_t>(status.st_size), change_time(status), CAIRN_FILE_SAVED);
  return true;
}

int32_t claim_unopened(cairn_mapping* mapping) {
  if (mapping->path[0] != '/') return 0;
  char virtual_path[4096], shown[4096];
  const char *path = mapping->path, *kept_path = mapping->path, *rest;
  if (plugin::begins(path, "/dev/shm/", &rest) && shm_name_of(mapping->device, mapping->inode, virtual_path, shown, sizeof shown)) {
    path = shown;
    kept_path = virtual_path;
  } else if (auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
             paths != nullptr && paths->to_virtual(path, virtual_path, sizeof virtual_path) > 0) {
    kept_path = virtual_path;
  }
  uint32_t existing;
  uint32_t count = unopened_count(mapping->inode, mapping->device, &existing);
  bool writable = (mapping->protection & PROT_WRITE) != 0;
  long fd = sys(SYS_openat, AT_FDCWD, pointer(path), O_RDONLY | O_CLOEXEC | O_LARGEFILE, 0);
  if (fd < 0) return 0;
  struct stat64 status = {};
  bool same = sys(SYS_fstat, fd, pointer(&status)) == 0 && status.st_ino == mapping->inode && S_ISREG(status.st_mode);
  int32_t result = 0;
  if (same && table.file_count < max_files) {
    if (existing == max_files) {
      existing = table.file_count;
      OpenFile* file = &table.files[existing];
      *file = {};
      file->kind = Kind::regular;
      file->descriptor = -1;
      file->kept = -1;
      file->mode = status.st_mode;
      file->size = static_cast<uint64_t>(status.st_size);
      file->mtime_ns = change_time(status);
      file->device = mapping->device;
      file->inode = mapping->inode;
      file->shown_device = status.st_dev;
      file->shown_inode = status.st_ino;
      static_cast<const cairn_paths*>(host->extension("cairn.paths/1"))->shown_numbers(&file->shown_device, &file->shown_inode);
      file->path = keep_path(kept_path, count);
      if (file->path != nullptr) {
        ++table.file_count;
        file->rule = rule_of(host, file->path);
        tell_file(*file, path);
      }
    }
    OpenFile* file = &table.files[existing];
    if (file->path != nullptr) {
      if ((file->rule == Rule::save || (writable && file->rule == Rule::none)) && file->kept < 0) {
        file->kind = Kind::kept;
        file->kept = host->keep_file(static_cast<int32_t>(fd), file->size, CAIRN_KEEP_NOW);
        (void)save_attributes(file, static_cast<int32_t>(fd));
        tell_file(*file, path);
      }
      mapping->token = existing;
      result = file->kind == Kind::kept && file->kept < 0 ? file->kept : 1;
    }
  }
  sys(SYS_close, fd);
  return result;
}

}  // namespace cairn::file
