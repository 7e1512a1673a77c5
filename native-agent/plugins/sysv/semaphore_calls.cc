// Owns: the wrappers of semget, semctl, semop and semtimedop, which show the application virtual ids and keys. Until a first restart
// they only note what the computation makes and what is to be undone. [any] Tests: test/probes (sysv/semaphores.c).
#include <stdarg.h>
#include <time.h>

#include "sysv/semaphores.h"

// By the assembler's name: libc's declarations differ in attributes.
#define CAIRN_WRAP(result, name, ...)                                                        \
  extern "C" CAIRN_EXPORT result cairn_sysv_##name(__VA_ARGS__) __asm__(#name);              \
  extern "C" result cairn_sysv_##name(__VA_ARGS__)

namespace cairn::sysv {
namespace {

Next<int(key_t, int, int)> next_get{"semget", nullptr};
Next<int(int, int, int, ...)> next_control{"semctl", nullptr};
Next<int(int, struct sembuf*, size_t)> next_operate{"semop", nullptr};
Next<int(int, struct sembuf*, size_t, const struct timespec*)> next_operate_timed{"semtimedop", nullptr};

int failed(int error) {
  errno = error;
  return -1;
}

int made(int real_id) {
  if (real_id < 0 || host == nullptr) return real_id;
  int32_t id = to_virtual(semaphores, real_id);
  host->set_name(semaphores.owned, id, host->virtual_pid());
  return id;
}

/// Nothing shows who has made a set: so it is asked for as a new one first.
int get(int32_t key, int count, int flags) {
  if (key == IPC_PRIVATE || (flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL)) return made(next_get.get()(key, count, flags));
  if ((flags & IPC_CREAT) == 0) return to_virtual(semaphores, next_get.get()(key, count, flags));
  for (;;) {
    int id = next_get.get()(key, count, flags | IPC_EXCL);
    if (id >= 0) return made(id);
    int error = errno;
    if (error != EEXIST) return failed(error);
    id = next_get.get()(key, count, flags & ~IPC_CREAT);
    if (id >= 0 || errno != ENOENT) return to_virtual(semaphores, id);
  }
}

/// A key that somebody outside has: the kernel's answer would be about theirs.
int get_shadowed(int32_t key, int64_t holder, int count, int flags) {
  struct semid_ds status;
  if (holder != none) {
    auto id = static_cast<int32_t>(holder);
    bool there = sys(SYS_semctl, to_real(semaphores, id), 0, IPC_STAT, pointer(&status)) == 0;
    if (there && (flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return failed(EEXIST);
    if (there && static_cast<unsigned long>(count) > status.sem_nsems) return failed(EINVAL);
    if (there) return id;
  }
  if ((flags & IPC_CREAT) == 0) return failed(ENOENT);
  int id = made(next_get.get()(IPC_PRIVATE, count, flags & ~IPC_EXCL));
  if (id < 0) return id;
  host->set_name(semaphores.shadowed, key, id);
  host->set_name(semaphores.keys, id, key);
  return id;
}

void show(int32_t id, struct semid_ds* status) {
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

CAIRN_WRAP(int, semget, key_t key, int count, int flags) {
  int64_t holder = none;
  if (active() && key != IPC_PRIVATE && host->get_name(semaphores.shadowed, key, &holder) == 0) return get_shadowed(key, holder, count, flags);
  return get(key, count, flags);
}

CAIRN_WRAP(int, semctl, int id, int number, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);  // a union of what fits into one register
  va_end(list);
  if (!active() || command == IPC_INFO || command == SEM_INFO) return next_control.get()(id, number, command, argument);
  if (command == SEM_STAT || command == SEM_STAT_ANY) {  // by the place in the kernel's table; gives the id
    int result = to_virtual(semaphores, next_control.get()(id, number, command, argument));
    if (result >= 0) show(result, static_cast<struct semid_ds*>(argument));
    return result;
  }
  int result = next_control.get()(to_real(semaphores, id), number, command, argument);
  if (result >= 0 && command == IPC_STAT) show(id, static_cast<struct semid_ds*>(argument));
  return command == GETPID ? virtual_process(result) : result;
}

CAIRN_WRAP(int, semop, int id, struct sembuf* operations, size_t count) {
  return done(next_operate.get()(active() ? to_real(semaphores, id) : id, operations, count), id, operations, count);
}

CAIRN_WRAP(int, semtimedop, int id, struct sembuf* operations, size_t count, const struct timespec* timeout) {
  return done(next_operate_timed.get()(active() ? to_real(semaphores, id) : id, operations, count, timeout), id, operations, count);
}

}  // namespace cairn::sysv
