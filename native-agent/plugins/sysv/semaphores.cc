// Owns: sets of System V semaphores over a checkpoint: values, key, owner and permissions. One process, elected by a shared name,
// saves a set and makes a new one at a restart, always: the old one may belong to a run that goes on. Who last changed a semaphore
// and when is not brought back. What the kernel is to undo at the end of a process (SEM_UNDO) cannot be read: it is counted here,
// and a checkpoint is refused while it is not nothing. [quiesced] saves; [restoring] makes, before the first barrier.
// Tests: test/probes (sysv/semaphores.c).
#include "sysv/semaphores.h"

#include "common/pool.h"
#include "common/text.h"

namespace cairn::sysv {
namespace {

using plugin::Text;

struct Set {
  int32_t id;      // virtual
  int32_t before;  // real, at the checkpoint
  int32_t key;
  int32_t maker;
  uint32_t count;
  uint32_t mode;
  uint32_t uid;
  uint32_t gid;
  uint16_t* values;
};

constexpr uint32_t capacity = 1024;
// Part of the image: what this process saved.
Set saved[capacity];
uint32_t saved_count = 0;
plugin::Pool pool;

struct Adjustment {
  int64_t semaphore;  // id and number, from 1 on; 0: free
  int64_t sum;
};
Adjustment adjustments[256];
bool adjustments_lost = false;

int32_t fail(long error, int32_t id, const char* what) {
  Text<256> text;
  text.add(what).add(" (System V semaphores, id ").add(int64_t{id}).add(")");
  return host->fail(static_cast<int32_t>(error), "semaphores", text.text());
}

int32_t save(int32_t id, int32_t real, int32_t maker) {
  struct semid_ds status = {};
  long known = sys(SYS_semctl, real, 0, IPC_STAT, pointer(&status));
  if (known == -EINVAL || known == -EIDRM) {
    forget(semaphores, id);
    return 0;
  }
  if (known < 0) return fail(known, id, "their state cannot be read");
  int32_t chosen = plugin::elected(host, semaphores.savers, id);
  if (chosen < 0) return fail(chosen, id, "the processes cannot agree on who saves them");
  if (chosen == 0) return 0;
  if (saved_count == capacity) return fail(-E2BIG, id, "there are more than 1024 sets");
  int64_t key = status.sem_perm.__key;
  host->get_name(semaphores.keys, id, &key);
  auto count = static_cast<uint32_t>(status.sem_nsems);
  auto* values = static_cast<uint16_t*>(pool.take(host, count * sizeof(uint16_t)));
  if (values == nullptr) return fail(-ENOMEM, id, "no memory for their values");
  if (long error = sys(SYS_semctl, real, 0, GETALL, pointer(values)); error < 0) return fail(error, id, "their values cannot be read");
  saved[saved_count++] = {id, real, static_cast<int32_t>(key), maker, count, status.sem_perm.mode, status.sem_perm.uid, status.sem_perm.gid, values};
  return 0;
}

int32_t refuse_adjustments() {
  if (adjustments_lost) return host->fail(-ENOTSUP, "semaphores", "more semaphores than 256 were changed with SEM_UNDO by one process");
  for (const Adjustment& adjustment : adjustments) {
    auto id = static_cast<int32_t>((adjustment.semaphore - 1) >> 16);
    struct semid_ds status;
    if (adjustment.semaphore == 0 || adjustment.sum == 0) continue;
    if (sys(SYS_semctl, to_real(semaphores, id), 0, IPC_STAT, pointer(&status)) == -EINVAL) continue;
    return fail(-ENOTSUP, id, "a semaphore is to be set back when this process ends (SEM_UNDO), which cannot be brought back; try again when it is released");
  }
  return 0;
}

int32_t make(const Set& set) {
  int32_t shadowed = 0;
  long real = -EEXIST;
  if (set.key != IPC_PRIVATE) {
    real = sys(SYS_semget, set.key, set.count, IPC_CREAT | IPC_EXCL | 0600);
    if (real == -EEXIST) shadowed = set.key;
  }
  if (real == -EEXIST) real = sys(SYS_semget, IPC_PRIVATE, set.count, IPC_CREAT | 0600);
  if (real < 0) return fail(real, set.id, "they cannot be made again");
  struct semid_ds status = {};
  status.sem_perm.uid = set.uid;
  status.sem_perm.gid = set.gid;
  status.sem_perm.mode = static_cast<uint16_t>(set.mode & 0777);
  long error = sys(SYS_semctl, real, 0, SETALL, pointer(set.values));
  if (error >= 0) error = sys(SYS_semctl, real, 0, IPC_SET, pointer(&status));
  if (error >= 0) error = bind(semaphores, set.id, set.before, static_cast<int32_t>(real), set.maker, shadowed);
  if (error >= 0 || error == -ENOENT) return 0;
  sys(SYS_semctl, real, 0, IPC_RMID);
  return fail(error, set.id, "they cannot have their values and permissions again");
}

}  // namespace

void forget_semaphores() {
  saved_count = 0;
  pool.reset();
  plugin::clear_names(host, semaphores.savers);
}

int32_t save_semaphores() {
  if (int32_t error = refuse_adjustments()) return error;
  uint32_t index = 0;
  int64_t id, maker;
  while (host->next_name(semaphores.owned, &index, &id, &maker) == 0) {
    auto virtual_id = static_cast<int32_t>(id);
    if (int32_t error = save(virtual_id, to_real(semaphores, virtual_id), static_cast<int32_t>(maker))) return error;
  }
  return 0;
}

int32_t make_semaphores() {
  for (uint32_t i = 0; i < saved_count; ++i) {
    int32_t error = make(saved[i]);
    if (error == 0) continue;
    for (uint32_t made = 0; made < i; ++made) sys(SYS_semctl, to_real(semaphores, saved[made].id), 0, IPC_RMID);
    return error;
  }
  return 0;
}

void note_adjustment(int32_t virtual_id, uint16_t number, int operation) {
  int64_t semaphore = ((int64_t{virtual_id} << 16) | number) + 1;
  for (Adjustment& adjustment : adjustments) {
    int64_t found = 0;
    bool mine = __atomic_compare_exchange_n(&adjustment.semaphore, &found, semaphore, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (!mine && found != semaphore) continue;
    __atomic_fetch_sub(&adjustment.sum, operation, __ATOMIC_ACQ_REL);
    return;
  }
  adjustments_lost = true;
}

void forget_adjustments() {
  for (Adjustment& adjustment : adjustments) adjustment = {};
  adjustments_lost = false;
}

}  // namespace cairn::sysv
