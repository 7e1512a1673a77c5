// Owns: the plugin `memfd`: files in memory (memfd_create) with content, size, mode and seals. A memory file may be behind several open
// file descriptions and mappings of several processes: one process saves it and makes it again, and hands it out to the others. A
// memory file that is only mapped any more is the plugin `memory`'s.
// [quiesced] saves; [restoring] makes the files before all descriptors, seals them when all mappings are there: some seals forbid
// what a restart has to do. Tests: test/probes (events/memfd.c).
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/handles.h"
#include "common/kernel.h"
#include "common/pool.h"
#include "common/text.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace cairn::memfd {
namespace {

using plugin::Text;

struct File {
  uint64_t device;
  uint64_t inode;
  uint64_t size;
  uint32_t mode;
  int32_t fd;         // -1: this process has it mapped only
  int32_t seals;
  int32_t kept;       // number of the kept file
  bool made_here;     // this process saves it
  const char* name;
  int32_t handle;     // while restoring
};
/// One open file description.
struct Description {
  uint32_t file;
  int64_t offset;
};

constexpr uint32_t max_files = 1024;
constexpr uint32_t savers = plugin::name_space("memfd.saver");
constexpr uint32_t handles = plugin::name_space("memfd.handle");
constexpr uint32_t all_seals = plugin::name_space("memfd.seals");

const cairn_host* host;
// Part of the image.
File files[max_files];
uint32_t file_count = 0;
Description descriptions[max_files];
uint32_t description_count = 0;
plugin::Pool names;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
long pointer(const void* address) { return reinterpret_cast<long>(address); }
int64_t key_of(const File& file) { return plugin::file_key(file.device, file.inode); }

int32_t fail(long error, const File& file, const char* what) {
  Text<512> text;
  text.add(what).add(" (memory file ").add(file.name).add(", descriptor ").add(int64_t{file.fd}).add(")");
  return host->fail(static_cast<int32_t>(error), "memory file", text.text());
}

File* find(uint64_t device, uint64_t inode) {
  for (uint32_t i = 0; i < file_count; ++i) {
    if (files[i].inode == inode && files[i].device == device) return &files[i];
  }
  return nullptr;
}

File* add(uint64_t device, uint64_t inode) {
  if (file_count == max_files) return nullptr;
  File* file = &files[file_count++];
  *file = {};
  file->device = device;
  file->inode = inode;
  file->fd = file->kept = file->handle = -1;
  file->name = "";
  return file;
}

int32_t claim(cairn_descriptor* offer) {
  const char* name;
  if (!S_ISREG(offer->mode) || !plugin::begins(offer->path, "/memfd:", &name) || (offer->status_flags & O_PATH) != 0) return 0;
  struct stat64 status = {};
  sys(SYS_fstat, offer->fd, pointer(&status));
  if (status.st_blksize != 4096) return 0;  // of huge pages
  File* file = find(offer->device, offer->inode);
  if (file == nullptr) {
    file = add(offer->device, offer->inode);
    if (file == nullptr) return host->fail(-EMFILE, "memory files", "more than 1024 memory files in one process");
    file->fd = offer->fd;
    file->mode = offer->mode;
    file->size = static_cast<uint64_t>(status.st_size);
    file->name = names.copy(host, name);
    if (file->name == nullptr) return host->fail(-ENOMEM, "memory files", "no memory for the names of memory files");
    file->seals = static_cast<int32_t>(sys(SYS_fcntl, offer->fd, F_GET_SEALS));
    int32_t chosen = plugin::elected(host, savers, key_of(*file));
    if (chosen < 0) return fail(chosen, *file, "the processes cannot agree on who saves it");
    file->made_here = chosen == 1;
  }
  if (description_count == max_files) return host->fail(-EMFILE, "memory files", "more than 1024 open memory files in one process");
  offer->token = description_count;
  descriptions[description_count++] = {static_cast<uint32_t>(file - files), sys(SYS_lseek, offer->fd, 0, SEEK_CUR)};
  return 1;
}

int32_t keep() {
  for (uint32_t i = 0; i < file_count; ++i) {
    File* file = &files[i];
    if (!file->made_here) continue;
    file->kept = host->keep_file(file->fd, file->size, CAIRN_KEEP_NOW);
    if (file->kept < 0) return file->kept;
  }
  return 0;
}

int32_t claim_mapping(cairn_mapping* mapping) {
  File* file = find(mapping->device, mapping->inode);
  if (file == nullptr) {
    // Perhaps another process has it open.
    int64_t saver = 0;
    const char* rest;
    if (!plugin::begins(mapping->path, "/memfd:", &rest)) return 0;
    if (host->get_name(savers, plugin::file_key(mapping->device, mapping->inode), &saver) != 0) return 0;
    file = add(mapping->device, mapping->inode);
    if (file == nullptr) return 0;
  }
  mapping->token = static_cast<uint64_t>(file - files);
  return 1;
}

bool all_zero(const char* page, long size) {
  for (long i = 0; i < size; ++i) {
    if (page[i] != 0) return false;
  }
  return true;
}

/// Pages of zeros stay holes: a memory file may be much larger than what is in it.
long write_pages(int32_t to, const char* from, long size, int64_t at) {
  for (long done = 0; done < size;) {
    long part = size - done < 4096 ? size - done : 4096;
    if (all_zero(from + done, part)) {
      done += part;
      continue;
    }
    long count = sys(SYS_pwrite64, to, pointer(from + done), part, at + done);
    if (count == -EINTR) continue;
    if (count <= 0) return count < 0 ? count : -EIO;
    done += count;
  }
  return 0;
}

int32_t put_content(const File& file, int32_t to) {
  static char buffer[64 * 1024];
  if (long error = sys(SYS_ftruncate, to, file.size); error < 0) return fail(error, file, "it cannot have its size again");
  int32_t from = host->open_kept(file.kept);
  if (from < 0) return fail(from, file, "the snapshot's copy cannot be read");
  long error = 0;
  for (int64_t at = 0; at < static_cast<int64_t>(file.size) && error == 0;) {
    // Holes stay holes; where the file system does not tell, all of it is read.
    int64_t data = sys(SYS_lseek, from, at, SEEK_DATA);
    if (data == -ENXIO) break;
    if (data > at) at = data;
    long count = sys(SYS_pread64, from, pointer(buffer), sizeof buffer, at);
    if (count == -EINTR) continue;
    if (count == 0) break;
    error = count < 0 ? count : write_pages(to, buffer, count, at);
    at += count;
  }
  sys(SYS_close, from);
  return error < 0 ? fail(error, file, "its content cannot be put back") : 0;
}

int32_t make(File* file) {
  uint32_t flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  long fd = sys(SYS_memfd_create, pointer(file->name), flags | ((file->mode & 0111) != 0 ? MFD_EXEC : 0));
  if (fd == -EINVAL) fd = sys(SYS_memfd_create, pointer(file->name), flags);  // before Linux 6.3
  if (fd < 0) return fail(fd, *file, "it cannot be made again");
  file->handle = plugin::hide_handle(host, fd);
  if (file->handle < 0) return fail(-EMFILE, *file, "there are more of them than the limit of open files allows to be brought back at once (ulimit -n)");
  if (int32_t error = put_content(*file, file->handle)) return error;
  int32_t error = plugin::publish_handle(host, handles, key_of(*file), file->handle);
  if (error == 0) error = host->set_name(all_seals, key_of(*file), file->seals);
  return error < 0 && error != -ENOENT ? fail(error, *file, "it cannot be handed out to the other processes") : 0;
}

int32_t make_files() {
  if (file_count > 0) plugin::allow_many_handles(host);
  for (uint32_t i = 0; i < file_count; ++i) {
    files[i].handle = -1;
    if (!files[i].made_here) continue;
    if (int32_t error = make(&files[i])) return error;
  }
  return 0;
}

int32_t open_again(const File& file, uint32_t flags) {
  int32_t handle = file.handle >= 0 ? file.handle : plugin::take_handle(host, handles, key_of(file));
  if (handle < 0) return fail(handle, file, "it cannot be taken over from the process that made it again");
  Text<64> link;
  link.add("/proc/thread-self/fd/").add(int64_t{handle});
  long fd = sys(SYS_openat, AT_FDCWD, pointer(link.text()), flags | O_CLOEXEC);
  if (file.handle < 0) sys(SYS_close, handle);
  return fd < 0 ? fail(fd, file, "it cannot be opened again") : static_cast<int32_t>(fd);
}

int32_t restore(cairn_descriptor* wanted) {
  const Description& description = descriptions[wanted->token];
  wanted->fd = open_again(files[description.file], wanted->status_flags & ~static_cast<uint32_t>(O_CREAT | O_EXCL | O_TRUNC | O_TMPFILE));
  if (wanted->fd < 0) return wanted->fd;
  sys(SYS_lseek, wanted->fd, description.offset, SEEK_SET);
  return 0;
}

int32_t restore_mapping(cairn_mapping* mapping) {
  const File& file = files[mapping->token];
  int64_t seals = 0;
  if (host->get_name(all_seals, key_of(file), &seals) != 0) seals = file.seals;
  // What could be made writable later would forbid the seal.
  bool reads_only = (mapping->protection & PROT_WRITE) == 0 && (seals & F_SEAL_WRITE) != 0;
  mapping->fd = open_again(file, (reads_only ? O_RDONLY : O_RDWR) | O_LARGEFILE);
  mapping->close_fd = 1;
  return mapping->fd < 0 ? mapping->fd : 0;
}

/// All descriptors and mappings of all processes are there.
int32_t seal() {
  int32_t result = 0;
  for (uint32_t i = 0; i < file_count; ++i) {
    File* file = &files[i];
    if (file->handle < 0) continue;
    if ((file->seals & F_SEAL_EXEC) == 0 || (file->mode & 0111) == 0) sys(SYS_fchmod, file->handle, file->mode & 07777);
    long error = file->seals > 0 ? sys(SYS_fcntl, file->handle, F_ADD_SEALS, file->seals) : 0;
    if (error < 0) result = fail(error, *file, "its seals cannot be set again");
    host->close_fd(file->handle);
    file->handle = -1;
    host->remove_name(handles, key_of(*file));
    host->remove_name(all_seals, key_of(*file));
  }
  return result;
}

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  auto* mapping = static_cast<cairn_mapping*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      file_count = description_count = 0;
      names.reset();
      plugin::clear_names(host, savers);
      return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: return claim(descriptor);
    case CAIRN_EVENT_PRECHECKPOINT: return keep();
    case CAIRN_EVENT_MAPPING_SAVE: return claim_mapping(mapping);
    case CAIRN_EVENT_RESTART: return make_files();
    case CAIRN_EVENT_DESCRIPTOR_RESTORE: return restore(descriptor);
    case CAIRN_EVENT_MAPPING_RESTORE: return restore_mapping(mapping);
    default: return 0;
  }
}

const char* const restart_barriers[] = {"seal", nullptr};

int32_t barrier(const char*, uint32_t) { return seal(); }

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return 0;
}

}  // namespace
}  // namespace cairn::memfd

extern "C" const struct cairn_plugin cairn_plugin_memfd = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "memfd", "1.0", "Cairn", cairn::memfd::init,
    cairn::memfd::event, nullptr, nullptr, cairn::memfd::restart_barriers, cairn::memfd::barrier,
};
