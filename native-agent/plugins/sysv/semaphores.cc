// Owns: sets of System V semaphores over a checkpoint: values, key, owner and permissions. One process, elected by a shared name,
// saves a set and makes a new one at a restart, always: the old one may belong to a run that goes on. Who last changed a semaphore
// (GETPID) is brought back by that process itself, when it changes it to and fro. What the kernel is to undo at the end of a
// process: adjustments.cc. [quiesced] saves; [restoring] makes, before the first barrier. Tests: test/probes (sysv/semaphores.c, undo.c).
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
  int32_t* last;   // virtual pid of the process that last changed each; 0: none, or not of the computation
};

constexpr uint32_t capacity = 1024;
// While restoring: id and number of a semaphore -> the process that last changed it.
constexpr uint32_t changed_last = plugin::name_space("sysv.sem.last");
// Part of the image: what this process saved.
Set saved[capacity];
uint32_t saved_count = 0;
plugin::Pool pool;

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
  auto* last = static_cast<int32_t*>(pool.take(host, count * sizeof(int32_t)));
  if (values == nullptr || last == nullptr) return fail(-ENOMEM, id, "no memory for their values");
  if (long error = sys(SYS_semctl, real, 0, GETALL, pointer(values)); error < 0) return fail(error, id, "their values cannot be read");
  saved[saved_count++] = {id, real, static_cast<int32_t>(key), maker, count, status.sem_perm.mode, status.sem_perm.uid, status.sem_perm.gid, values, last};
  for (uint32_t i = 0; i < count; ++i) {
    long process = sys(SYS_semctl, real, i, GETPID);
    last[i] = process > 0 ? virtual_process(static_cast<int32_t>(process)) : 0;
    int64_t known = 0;
    if (host->get_name(CAIRN_NAMES_PROCESS, last[i], &known) != 0) last[i] = 0;
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
  // Of a few: the names of a session have not room for all of a large set.
  for (uint32_t i = 0, told = 0; i < set.count && told < 64; ++i) {
    if (set.last[i] != 0 && host->set_name(changed_last, (int64_t{set.id} << 16) | i, set.last[i]) == 0) ++told;
  }
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

int32_t change_last() {
  uint32_t index = 0;
  int64_t semaphore, process;
  while (host->next_name(changed_last, &index, &semaphore, &process) == 0) {
    if (process != host->virtual_pid()) continue;
    auto number = static_cast<uint16_t>(semaphore & 0xffff);
    long real = to_real(semaphores, static_cast<int32_t>(semaphore >> 16));
    struct sembuf there_and_back[2] = {{number, 1, IPC_NOWAIT}, {number, -1, IPC_NOWAIT}};
    if (sys(operate_call, real, pointer(there_and_back), 2) < 0) {
      there_and_back[0].sem_op = -1;
      there_and_back[1].sem_op = 1;
      sys(operate_call, real, pointer(there_and_back), 2);
    }
  }
  return 0;
}

void forget_changes() { plugin::clear_names(host, changed_last); }

}  // namespace cairn::sysv
