// Owns: where and how segments of shared memory are attached in this process.
// A part that is left of one, or has another protection, is a mapping of its own. shmdt(2) knows the parts by their
// distance from the beginning and by the kernel's file, of which each attachment has one: so the whole is attached somewhere once,
// and its parts are moved to their places from there.
// [quiesced] claims the mappings; [restoring] attaches, when the segments of all processes are made. Tests: test/probes (sysv).
#include <sys/mman.h>

#include "common/text.h"
#include "sysv/segments.h"

namespace cairn::sysv {
namespace {

// In the token of a mapping, above the virtual id.
constexpr uint64_t read_only = uint64_t{1} << 32;

constexpr uint32_t capacity = 1024;
constexpr long page = 4096;

/// While restoring: a whole attachment from which parts are taken.
struct Attachment {
  int32_t id;
  bool read_only;
  uint64_t beginning;  // for the application
  uint64_t size;
  int64_t place;
};
Attachment attachments[capacity];
uint32_t attachment_count = 0;

/// Nothing shows whether an attachment that is not writable could be made so, but the attempt.
bool attached_read_only(const cairn_mapping& mapping) {
  if ((mapping.protection & PROT_WRITE) != 0) return false;
  auto start = static_cast<long>(mapping.start);
  auto length = static_cast<long>(mapping.length);
  if (sys(SYS_mprotect, start, length, static_cast<long>(mapping.protection | PROT_READ | PROT_WRITE)) < 0) return true;
  sys(SYS_mprotect, start, length, static_cast<long>(mapping.protection));
  return false;
}

/// The attachment that a mapping is a part of; NULL: it cannot be had, which has been said.
Attachment* attach(int32_t id, int32_t real, const cairn_mapping& part) {
  uint64_t beginning = part.start - part.offset;
  bool reads = (part.token & read_only) != 0;
  for (uint32_t i = 0; i < attachment_count; ++i) {
    Attachment* known = &attachments[i];
    if (known->id == id && known->beginning == beginning && known->read_only == reads) return known;
  }
  struct shmid_ds status = {};
  int flags = (reads ? SHM_RDONLY : 0) | ((part.protection & PROT_EXEC) != 0 ? SHM_EXEC : 0);
  int64_t place = attachment_count == capacity ? -E2BIG : sys(SYS_shmctl, real, IPC_STAT, pointer(&status));
  if (place >= 0) place = sys(SYS_shmat, real, 0, flags);
  if (place < 0 && place > -page) {
    fail_segment(place, id, "it cannot be attached again");
    return nullptr;
  }
  Attachment* made = &attachments[attachment_count++];
  *made = {id, reads, beginning, (status.shm_segsz + page - 1) & ~uint64_t{page - 1}, place};
  return made;
}

}  // namespace

int32_t claim_segment(cairn_mapping* mapping) {
  const char* rest;
  if (!plugin::begins(mapping->path, "/SYSV", &rest)) return 0;
  auto real = static_cast<int32_t>(mapping->inode);  // the kernel makes the id the inode's number
  int32_t id = to_virtual(segments, real);
  if (int32_t error = save_segment(id, real, none)) return error;
  mapping->token = static_cast<uint32_t>(id) | (attached_read_only(*mapping) ? read_only : 0);
  return 1;
}

int32_t attach_segment(cairn_mapping* mapping) {
  auto id = static_cast<int32_t>(mapping->token & 0xffffffffu);
  int32_t real = real_segment(id);
  if (real < 0) return undo_segments(fail_segment(-ENOENT, id, "no process has made it again"));
  Attachment* whole = attach(id, real, *mapping);
  if (whole == nullptr) return undo_segments(-ENOMEM);
  auto length = static_cast<long>(mapping->length);
  // It stays where it was as well: nothing else may come to lie there before all parts are taken.
  int64_t moved = sys(SYS_mremap, whole->place + static_cast<long>(mapping->offset), length, length,
                   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, static_cast<long>(mapping->start));
  if (moved >= 0 || moved < -page) moved = sys(SYS_mprotect, moved, length, static_cast<long>(mapping->protection));
  return moved < 0 ? undo_segments(fail_segment(moved, id, "it cannot be attached where it was")) : 0;
}

void end_attaching() {
  for (uint32_t i = 0; i < attachment_count; ++i) sys(SYS_munmap, attachments[i].place, static_cast<long>(attachments[i].size));
  attachment_count = 0;
}

}  // namespace cairn::sysv
