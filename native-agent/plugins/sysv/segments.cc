// Owns: segments of System V shared memory over a checkpoint: content, size, key, owner, permissions; those marked for removal, and those attached nowhere. One process, elected by a shared name, saves a segment and makes a
// new one at a restart, always: the old one may belong to a run that goes on. It stays attached to it until all others are, so
// that one that is marked for removal can be so from the start, and nothing is left of it when the restart fails.
// [quiesced] saves; [restoring] makes, before the first barrier; attachments.cc attaches. Tests: test/probes (sysv).
#include "sysv/segments.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "common/text.h"

namespace cairn::sysv {
namespace {

using plugin::Text;

struct Segment {
  int32_t id;       // virtual
  int32_t before;   // real, at the checkpoint
  int32_t key;
  int32_t kept;
  int32_t maker;    // virtual pid
  uint64_t size;
  uint32_t mode;
  uint32_t uid;
  uint32_t gid;
  int32_t real;     // while restoring; -1: not made
  int64_t place;    // while restoring: where it is attached for now
};

constexpr uint32_t capacity = 1024;
// Part of the image: what this process saved.
Segment saved[capacity];
uint32_t saved_count = 0;

constexpr uint32_t removed = 01000;  // SHM_DEST
constexpr uint32_t locked = 02000;   // SHM_LOCKED
constexpr long page = 4096;

bool all_zero(const char* from, long size) {
  for (long i = 0; i < size; ++i) {
    if (from[i] != 0) return false;
  }
  return true;
}

/// Through a memory file, since a segment has no descriptor. Pages of zeros are holes.
int32_t keep_content(Segment* segment, int64_t place) {
  long fd = sys(SYS_memfd_create, pointer("cairn-segment"), MFD_CLOEXEC);
  if (fd < 0) return static_cast<int32_t>(fd);
  auto size = static_cast<long>(segment->size);
  long error = sys(SYS_ftruncate, fd, size);
  for (long done = 0; error >= 0 && done < size;) {
    long part = size - done < page ? size - done : page;
    const char* from = reinterpret_cast<const char*>(place + done);
    long count = all_zero(from, part) ? part : sys(SYS_pwrite64, fd, pointer(from), part, done);
    if (count == -EINTR) continue;
    if (count <= 0) error = count < 0 ? count : -EIO;
    else done += count;
  }
  if (error >= 0) error = segment->kept = host->keep_file(static_cast<int32_t>(fd), segment->size, CAIRN_KEEP_NOW);
  sys(SYS_close, fd);
  return error < 0 ? static_cast<int32_t>(error) : 0;
}

int32_t put_content(const Segment& segment) {
  static char buffer[16 * page];
  int32_t from = host->open_kept(segment.kept);
  if (from < 0) return from;
  long error = 0;
  for (long at = 0; at < static_cast<long>(segment.size);) {
    long count = sys(SYS_pread64, from, pointer(buffer), sizeof buffer, at);
    if (count == -EINTR) continue;
    if (count <= 0) {
      error = count < 0 ? count : -EIO;
      break;
    }
    for (long done = 0; done < count; done += page) {
      long part = count - done < page ? count - done : page;
      if (!all_zero(buffer + done, part)) __builtin_memcpy(reinterpret_cast<char*>(segment.place + at + done), buffer + done, static_cast<size_t>(part));
    }
    at += count;
  }
  sys(SYS_close, from);
  return static_cast<int32_t>(error);
}

int32_t make(Segment* segment) {
  bool doomed = (segment->mode & removed) != 0;
  int32_t shadowed = 0;
  auto size = static_cast<long>(segment->size);
  long real = -EEXIST;
  if (segment->key != IPC_PRIVATE && !doomed) {
    real = sys(SYS_shmget, segment->key, size, IPC_CREAT | IPC_EXCL | 0600);
    if (real == -EEXIST) shadowed = segment->key;
  }
  if (real == -EEXIST) real = sys(SYS_shmget, IPC_PRIVATE, size, IPC_CREAT | 0600);
  if (real < 0) return fail_segment(real, segment->id, "it cannot be made again");
  segment->real = static_cast<int32_t>(real);
  segment->place = sys(SYS_shmat, real, 0, 0);
  if (segment->place < 0 && segment->place > -page) {
    long error = segment->place;
    segment->place = 0;
    return fail_segment(error, segment->id, "it cannot be attached");
  }
  // Linux lets others attach it by its id as long as somebody has it.
  if (doomed) sys(SYS_shmctl, real, IPC_RMID, 0);
  if (int32_t error = put_content(*segment)) return fail_segment(error, segment->id, "its content cannot be put back");
  int32_t error = bind(segments, segment->id, segment->before, segment->real, segment->maker, shadowed);
  return error < 0 && error != -ENOENT ? fail_segment(error, segment->id, "its name cannot be told to the other processes") : 0;
}

}  // namespace

int32_t fail_segment(long error, int32_t id, const char* what) {
  Text<256> text;
  text.add(what).add(" (System V shared memory, id ").add(int64_t{id}).add(")");
  return host->fail(static_cast<int32_t>(error), "shared memory", text.text());
}

int32_t undo_segments(int32_t error) {
  for (uint32_t i = 0; i < saved_count; ++i) {
    if (saved[i].real >= 0) sys(SYS_shmctl, saved[i].real, IPC_RMID, 0);
  }
  return error;
}

int32_t real_segment(int32_t id) {
  for (uint32_t i = 0; i < saved_count; ++i) {
    if (saved[i].id == id && saved[i].real >= 0) return saved[i].real;
  }
  int64_t named = 0;
  return host->get_name(segments.ids, id, &named) == 0 ? static_cast<int32_t>(named) : -ENOENT;
}

int32_t save_segment(int32_t id, int32_t real, int64_t maker) {
  for (uint32_t i = 0; i < saved_count; ++i) {
    if (saved[i].id == id) return 0;
  }
  struct shmid_ds status = {};
  long known = sys(SYS_shmctl, real, IPC_STAT, pointer(&status));
  if (known == -EINVAL || known == -EIDRM) {
    forget(segments, id);
    return 0;
  }
  if (known < 0) return fail_segment(known, id, "its state cannot be read");
  int32_t chosen = plugin::elected(host, segments.savers, id);
  if (chosen < 0) return fail_segment(chosen, id, "the processes cannot agree on who saves it");
  if (chosen == 0) return 0;
  if (saved_count == capacity) return fail_segment(-E2BIG, id, "there are more than 1024 segments");
  Segment* segment = &saved[saved_count++];
  *segment = {};
  segment->id = id;
  segment->before = real;
  segment->key = status.shm_perm.__key;
  int64_t key = 0;
  if ((status.shm_perm.mode & removed) == 0 && host->get_name(segments.keys, id, &key) == 0) segment->key = static_cast<int32_t>(key);
  segment->size = status.shm_segsz;
  segment->mode = status.shm_perm.mode;
  segment->uid = status.shm_perm.uid;
  segment->gid = status.shm_perm.gid;
  segment->maker = static_cast<int32_t>(maker >= 0 ? maker : virtual_process(status.shm_cpid));
  segment->kept = segment->real = -1;
  int64_t place = sys(SYS_shmat, real, 0, SHM_RDONLY);
  if (place < 0 && place > -page) return fail_segment(place, id, "it cannot be read");
  int32_t error = keep_content(segment, place);
  sys(SYS_shmdt, place);
  return error < 0 ? fail_segment(error, id, "its content cannot be saved") : 0;
}

void forget_segments() {
  saved_count = 0;
  plugin::clear_names(host, segments.savers);
}

int32_t save_segments() {
  uint32_t index = 0;
  int64_t id, maker;
  while (host->next_name(segments.owned, &index, &id, &maker) == 0) {
    auto virtual_id = static_cast<int32_t>(id);
    if (int32_t error = save_segment(virtual_id, to_real(segments, virtual_id), maker)) return error;
  }
  return 0;
}

int32_t make_segments() {
  for (uint32_t i = 0; i < saved_count; ++i) {
    saved[i].real = -1;
    saved[i].place = 0;
  }
  for (uint32_t i = 0; i < saved_count; ++i) {
    if (int32_t error = make(&saved[i])) return undo_segments(error);
  }
  return 0;
}

int32_t finish_segments() {
  end_attaching();
  for (uint32_t i = 0; i < saved_count; ++i) {
    Segment* segment = &saved[i];
    if (segment->real < 0) continue;
    struct shmid_ds status = {};
    long error = sys(SYS_shmctl, segment->real, IPC_STAT, pointer(&status));
    status.shm_perm.uid = segment->uid;
    status.shm_perm.gid = segment->gid;
    status.shm_perm.mode = segment->mode & 0777;
    if ((segment->mode & locked) != 0 && error >= 0) error = sys(SYS_shmctl, segment->real, SHM_LOCK, 0);
    if (error >= 0) error = sys(SYS_shmctl, segment->real, IPC_SET, pointer(&status));
    if (error < 0) return undo_segments(fail_segment(error, segment->id, "its permissions cannot be set again"));
    sys(SYS_shmdt, segment->place);
    segment->place = 0;
  }
  return 0;
}

}  // namespace cairn::sysv
