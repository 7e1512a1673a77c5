// Owns: the wrappers of shmget, shmat and shmctl, which show the application virtual ids and keys. Until a first restart they only
// note what the computation makes. shmdt takes an address and needs none. [any] Tests: test/probes (sysv).
#include "sysv/segments.h"

// By the assembler's name: libc's declarations differ in attributes.
#define CAIRN_WRAP(result, name, ...)                                                        \
  extern "C" CAIRN_EXPORT result cairn_sysv_##name(__VA_ARGS__) __asm__(#name);              \
  extern "C" result cairn_sysv_##name(__VA_ARGS__)

namespace cairn::sysv {
namespace {

Next<int(key_t, size_t, int)> next_get{"shmget", nullptr};
Next<void*(int, const void*, int)> next_attach{"shmat", nullptr};
Next<int(int, int, struct shmid_ds*)> next_control{"shmctl", nullptr};

int failed(int error) {
  errno = error;
  return -1;
}

/// The name of what shmget gave; what this process has made is the computation's.
int named(int real_id, int flags) {
  if (real_id < 0 || host == nullptr) return real_id;
  int32_t id = to_virtual(segments, real_id);
  struct shmid_ds status;
  if ((flags & IPC_CREAT) == 0) return id;
  int64_t maker = 0;
  if (host->get_name(segments.owned, id, &maker) == 0 && active()) return id;
  if (sys(SYS_shmctl, real_id, IPC_STAT, pointer(&status)) == 0 && status.shm_cpid == host->real_pid()) {
    host->set_name(segments.owned, id, host->virtual_pid());
  }
  return id;
}

/// A key that somebody outside has: the kernel's answer would be about theirs.
int get_shadowed(int32_t key, int64_t holder, size_t size, int flags) {
  struct shmid_ds status;
  if (holder != none) {
    auto id = static_cast<int32_t>(holder);
    bool there = sys(SYS_shmctl, to_real(segments, id), IPC_STAT, pointer(&status)) == 0 && (status.shm_perm.mode & SHM_DEST) == 0;
    if (there && (flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return failed(EEXIST);
    if (there && size > status.shm_segsz) return failed(EINVAL);
    if (there) return id;
  }
  if ((flags & IPC_CREAT) == 0) return failed(ENOENT);
  int id = named(next_get.get()(IPC_PRIVATE, size, flags & ~IPC_EXCL), IPC_CREAT);
  if (id < 0) return id;
  host->set_name(segments.shadowed, key, id);
  host->set_name(segments.keys, id, key);
  return id;
}

/// What the kernel tells of a segment, in the application's names.
void show(int32_t id, struct shmid_ds* status) {
  int64_t value = 0;
  if ((status->shm_perm.mode & SHM_DEST) == 0 && host->get_name(segments.keys, id, &value) == 0) status->shm_perm.__key = static_cast<key_t>(value);
  if (host->get_name(segments.owned, id, &value) == 0) status->shm_cpid = static_cast<pid_t>(value);
  else status->shm_cpid = virtual_process(status->shm_cpid);
  status->shm_lpid = virtual_process(status->shm_lpid);
}

}  // namespace

void prepare_segment_calls() {
  next_get.get();
  next_attach.get();
  next_control.get();
}

CAIRN_WRAP(int, shmget, key_t key, size_t size, int flags) {
  int64_t holder = none;
  if (active() && key != IPC_PRIVATE && host->get_name(segments.shadowed, key, &holder) == 0) return get_shadowed(key, holder, size, flags);
  return named(next_get.get()(key, size, flags), key == IPC_PRIVATE ? IPC_CREAT : flags);
}

CAIRN_WRAP(void*, shmat, int id, const void* address, int flags) {
  return next_attach.get()(active() ? to_real(segments, id) : id, address, flags);
}

CAIRN_WRAP(int, shmctl, int id, int command, struct shmid_ds* status) {
  if (!active()) return next_control.get()(id, command, status);
  switch (command) {
    case IPC_INFO:
    case SHM_INFO: return next_control.get()(id, command, status);
    case SHM_STAT:
    case SHM_STAT_ANY: {  // by the place in the kernel's table; gives the id
      int real_id = next_control.get()(id, command, status);
      int result = to_virtual(segments, real_id);
      if (real_id >= 0) show(result, status);
      return result;
    }
    default: break;
  }
  int result = next_control.get()(to_real(segments, id), command, status);
  if (result >= 0 && command == IPC_STAT) show(id, status);
  return result;
}

}  // namespace cairn::sysv
