// Owns: the wrappers of semget, semctl, semop and semtimedop, which show the application virtual ids and keys. Until a first restart
// they only note what the computation makes and what is to be undone. [any] Tests: test/probes (sysv/semaphores.c, undo.c).
#include <time.h>

#include "common/remaining.h"
#include "sysv/get.h"
#include "sysv/semaphores.h"

namespace cairn::sysv {
namespace {

Next<int(key_t, int, int)> next_get{"semget", nullptr};
Next<int(int, int, int, ...)> next_control{"semctl", nullptr};
Next<int(int, struct sembuf*, size_t)> next_operate{"semop", nullptr};
Next<int(int, struct sembuf*, size_t, const struct timespec*)> next_operate_timed{"semtimedop", nullptr};
#if __SIZEOF_POINTER__ == 4
Next<int(int, int, int, ...)> next_control64{"__semctl64", nullptr};
Next<int(int, struct sembuf*, size_t, const void*)> next_operate_timed64{"__semtimedop64", nullptr};
#endif

template <typename Status>
void show(int32_t id, Status* status) {
  int64_t key = 0;
  if (host->get_name(semaphores.keys, id, &key) == 0) status->sem_perm.__key = static_cast<key_t>(key);
}

int done(int result, int32_t id, const struct sembuf* operations, size_t count) {
  for (size_t i = 0; result == 0 && i < count; ++i) {
    if ((operations[i].sem_flg & SEM_UNDO) != 0 && operations[i].sem_op != 0) note_adjustment(id, operations[i].sem_num, operations[i].sem_op);
  }
  return result;
}

}  // namespace

void prepare_semaphore_calls() {
  next_get.get();
  next_control.get();
  next_operate.get();
  next_operate_timed.get();
}

CAIRN_WRAP(int, semget, (key_t key, int count, int flags), (key, count, flags)) {
  auto ask = [count](int32_t asked, int how) { return next_get.get()(asked, count, how); };
  auto look = [count](int real_id) {
    struct semid_ds status;
    int error = static_cast<int>(sys(SYS_semctl, real_id, 0, IPC_STAT, pointer(&status)));
    return error < 0 ? error : static_cast<unsigned long>(count) > status.sem_nsems ? -E2BIG : 0;
  };
  return get(semaphores, key, flags, ask, look);
}

template <typename Status>
static int control(Next<int(int, int, int, ...)>& next, int id, int number, int command, void* argument) {
  bool all = command == SETALL;
  if ((all || command == SETVAL) && host != nullptr) {
    int result = next.get()(active() ? to_real(semaphores, id) : id, number, command, argument);
    if (result >= 0) note_setting(id, number, all);
    return result;
  }
  if (!active() || command == IPC_INFO || command == SEM_INFO) return next.get()(id, number, command, argument);
  if (command == SEM_STAT || command == SEM_STAT_ANY) {  // by the place in the kernel's table; gives the id
    int result = to_virtual(semaphores, next.get()(id, number, command, argument));
    if (result >= 0) show(result, static_cast<Status*>(argument));
    return result;
  }
  int result = next.get()(to_real(semaphores, id), number, command, argument);
  if (result >= 0 && command == IPC_STAT) show(id, static_cast<Status*>(argument));
  return command == GETPID ? virtual_process(result) : result;
}

// The last one is a union of what fits into one register, where a command needs it.
CAIRN_WRAP(int, semctl, (int id, int number, int command, void* argument), (id, number, command, argument)) {
  return control<struct semid_ds>(next_control, id, number, command, argument);
}

CAIRN_WRAP(int, semop, (int id, struct sembuf* operations, size_t count), (id, operations, count)) {
  return done(next_operate.get()(active() ? to_real(semaphores, id) : id, operations, count), id, operations, count);
}

CAIRN_WRAP(int, semtimedop, (int id, struct sembuf* operations, size_t count, const struct timespec* timeout), (id, operations, count, timeout)) {
  plugin::Remaining time(timeout);
  int32_t real = active() ? to_real(semaphores, id) : id;
  if (time.left() == nullptr) return done(next_operate_timed.get()(real, operations, count, timeout), id, operations, count);
#if __SIZEOF_POINTER__ == 4
  return done(next_operate_timed64.get()(real, operations, count, time.left()), id, operations, count);
#else
  auto left = reinterpret_cast<const struct timespec*>(time.left());
  return done(next_operate_timed.get()(real, operations, count, left), id, operations, count);
#endif
}

#if __SIZEOF_POINTER__ == 4
// For programs with 64-bit times.
CAIRN_WRAP(int, __semctl64, (int id, int number, int command, void* argument), (id, number, command, argument)) {
  return control<struct __semid64_ds>(next_control64, id, number, command, argument);
}

CAIRN_WRAP(int, __semtimedop64, (int id, struct sembuf* operations, size_t count, const void* timeout), (id, operations, count, timeout)) {
  return done(next_operate_timed64.get()(active() ? to_real(semaphores, id) : id, operations, count, timeout), id, operations, count);
}
#endif

}  // namespace cairn::sysv
