// Owns: the wrappers of shmget, shmat and shmctl, which show the application virtual ids and keys. Until a first restart they only
// note what the computation makes. shmdt takes an address and needs none. [any] Tests: test/probes (sysv).
#include "sysv/get.h"
#include "sysv/segments.h"

namespace cairn::sysv {
namespace {

Next<int(key_t, size_t, int)> next_get{"shmget", nullptr};
Next<void*(int, const void*, int)> next_attach{"shmat", nullptr};
Next<int(int, int, struct shmid_ds*)> next_control{"shmctl", nullptr};
#if __SIZEOF_POINTER__ == 4
Next<int(int, int, struct __shmid64_ds*)> next_control64{"__shmctl64", nullptr};
#endif

/// What the kernel tells of a segment, in the application's names.
template <typename Status>
void show(int32_t id, Status* status) {
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

CAIRN_WRAP(int, shmget, (key_t key, size_t size, int flags), (key, size, flags)) {
  auto ask = [size](int32_t asked, int how) { return next_get.get()(asked, size, how); };
  auto look = [size](int real_id) {
    struct shmid_ds status;
    int error = static_cast<int>(sys(SYS_shmctl, real_id, IPC_STAT, pointer(&status)));
    if (error < 0) return error;
    return (status.shm_perm.mode & SHM_DEST) != 0 ? -EIDRM : size > status.shm_segsz ? -E2BIG : 0;
  };
  return get(segments, key, flags, ask, look);
}

CAIRN_WRAP(void*, shmat, (int id, const void* address, int flags), (id, address, flags)) {
  return next_attach.get()(active() ? to_real(segments, id) : id, address, flags);
}

CAIRN_WRAP(int, shmctl, (int id, int command, struct shmid_ds* status), (id, command, status)) {
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

#if __SIZEOF_POINTER__ == 4
// For programs with 64-bit times: what differs is the structure that is filled.
CAIRN_WRAP(int, __shmctl64, (int id, int command, struct __shmid64_ds* status), (id, command, status)) {
  if (!active()) return next_control64.get()(id, command, status);
  if (command == IPC_INFO || command == SHM_INFO) return next_control64.get()(id, command, status);
  if (command == SHM_STAT || command == SHM_STAT_ANY) {
    int real_id = next_control64.get()(id, command, status);
    int result = to_virtual(segments, real_id);
    if (real_id >= 0) show(result, status);
    return result;
  }
  int result = next_control64.get()(to_real(segments, id), command, status);
  if (result >= 0 && command == IPC_STAT) show(id, status);
  return result;
}
#endif

}  // namespace cairn::sysv
