// Owns: syscall(2) about System V objects, for the plugin that wraps it: made by the functions behind the wrappers, from the start, since
// the computation notes what it makes. [any] Tests: test/probes/sysv/own_functions.c.
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "sysv/names.h"

extern "C" {
int cairn_sysv_shmget(key_t, size_t, int);
void* cairn_sysv_shmat(int, const void*, int);
int cairn_sysv_shmctl(int, int, struct shmid_ds*);
int cairn_sysv_semget(key_t, int, int);
int cairn_sysv_semctl(int, int, int, void*);
int cairn_sysv_semop(int, struct sembuf*, size_t);
int cairn_sysv_semtimedop(int, struct sembuf*, size_t, const struct timespec*);
int cairn_sysv___semtimedop64(int, struct sembuf*, size_t, const void*);
int cairn_sysv_msgget(key_t, int);
int cairn_sysv_msgsnd(int, const void*, size_t, int);
ssize_t cairn_sysv_msgrcv(int, void*, size_t, long, int);
int cairn_sysv_msgctl(int, int, struct msqid_ds*);
}

namespace cairn::sysv {

int32_t system_call(int64_t number, const int64_t* a, int64_t* result) {
  auto id = static_cast<int>(a[0]);
  auto at = [a](int i) { return reinterpret_cast<void*>(a[i]); };
  auto word = [a](int i) { return static_cast<int>(a[i]); };
  switch (number) {
    case SYS_shmget: *result = cairn_sysv_shmget(id, static_cast<size_t>(a[1]), word(2)); return 1;
    case SYS_shmat: *result = pointer(cairn_sysv_shmat(id, at(1), word(2))); return 1;
    case SYS_shmctl: *result = cairn_sysv_shmctl(id, word(1), static_cast<struct shmid_ds*>(at(2))); return 1;
    case SYS_semget: *result = cairn_sysv_semget(id, word(1), word(2)); return 1;
    case SYS_semctl: *result = cairn_sysv_semctl(id, word(1), word(2), at(3)); return 1;
#ifdef SYS_semop
    case SYS_semop: *result = cairn_sysv_semop(id, static_cast<struct sembuf*>(at(1)), static_cast<size_t>(a[2])); return 1;
    case SYS_semtimedop:
      *result = cairn_sysv_semtimedop(id, static_cast<struct sembuf*>(at(1)), static_cast<size_t>(a[2]), static_cast<struct timespec*>(at(3)));
      return 1;
#else
    case SYS_semtimedop_time64:
      *result = cairn_sysv___semtimedop64(id, static_cast<struct sembuf*>(at(1)), static_cast<size_t>(a[2]), at(3));
      return 1;
#endif
    case SYS_msgget: *result = cairn_sysv_msgget(id, word(1)); return 1;
    case SYS_msgsnd: *result = cairn_sysv_msgsnd(id, at(1), static_cast<size_t>(a[2]), word(3)); return 1;
    case SYS_msgrcv: *result = cairn_sysv_msgrcv(id, at(1), static_cast<size_t>(a[2]), a[3], word(4)); return 1;
    case SYS_msgctl: *result = cairn_sysv_msgctl(id, word(1), static_cast<struct msqid_ds*>(at(2))); return 1;
    default: return 0;
  }
}

}  // namespace cairn::sysv
