// The virtual names of System V objects, see names.h. [any]
#include "sysv/names.h"

#include <linux/ipc.h>

namespace cairn::sysv {
namespace {

bool active_flag = false;
/// Kernels count ids up from 0: a name that is not a number of before lies far above.
constexpr int32_t first_other = 0x40000000;

}  // namespace

bool active() { return __atomic_load_n(&active_flag, __ATOMIC_ACQUIRE); }
void activate() { __atomic_store_n(&active_flag, true, __ATOMIC_RELEASE); }

int32_t to_real(const Spaces& spaces, int32_t virtual_id) {
  int64_t real_id = virtual_id;
  if (active()) host->get_name(spaces.ids, virtual_id, &real_id);
  return static_cast<int32_t>(real_id);
}

int32_t to_virtual(const Spaces& spaces, int32_t real_id) {
  if (!active() || real_id < 0) return real_id;
  int64_t holder = 0;
  if (host->get_name(spaces.reals, real_id, &holder) == 0) return static_cast<int32_t>(holder);
  int32_t virtual_id = real_id;
  // Its own number, unless that is the virtual id of another.
  for (uint32_t tries = 0; tries < 100000; ++tries) {
    int32_t result = host->claim_name(spaces.ids, virtual_id, real_id, &holder);
    if (result == 0 || (result == -EEXIST && holder == real_id)) break;
    if (result != -EEXIST) return real_id;
    virtual_id = tries == 0 ? (real_id | first_other) : virtual_id + 1 < 0 ? first_other : virtual_id + 1;
  }
  // Two processes may do this at once: the first decides.
  if (host->claim_name(spaces.reals, real_id, virtual_id, &holder) != -EEXIST) return virtual_id;
  if (holder != virtual_id) host->remove_name(spaces.ids, virtual_id);
  return static_cast<int32_t>(holder);
}

void forget(const Spaces& spaces, int32_t virtual_id) {
  int64_t value = 0;
  if (host->get_name(spaces.ids, virtual_id, &value) == 0) host->remove_name(spaces.reals, value);
  if (host->get_name(spaces.keys, virtual_id, &value) == 0) {
    int64_t holder = none;
    if (host->get_name(spaces.shadowed, value, &holder) == 0 && holder == virtual_id) host->set_name(spaces.shadowed, value, none);
    host->remove_name(spaces.keys, virtual_id);
  }
  host->remove_name(spaces.ids, virtual_id);
  host->remove_name(spaces.owned, virtual_id);
}

int32_t bind(const Spaces& spaces, int32_t virtual_id, int32_t before, int32_t real_id, int32_t maker, int32_t key) {
  int32_t error = host->set_name(spaces.ids, virtual_id, real_id);
  if (error == 0) error = host->set_name(spaces.reals, real_id, virtual_id);
  if (error == 0) error = host->set_name(spaces.before, before, virtual_id);
  if (error == 0) error = host->set_name(spaces.owned, virtual_id, maker);
  if (error == 0 && key != 0) error = host->set_name(spaces.shadowed, key, virtual_id);
  if (error == 0 && key != 0) error = host->set_name(spaces.keys, virtual_id, key);
  return error;
}

namespace {

/// The objects that a system call is about, and which of its arguments is the id; NULL: none.
const Spaces* spaces_of(int64_t number, const uint64_t* arguments, uint32_t* id) {
  *id = 0;
#ifdef SYS_ipc
  if (number == SYS_ipc) {
    *id = 1;
    switch (arguments[0] & 0xffff) {
      case SEMOP:
      case SEMCTL:
      case SEMTIMEDOP: return &semaphores;
      case MSGSND:
      case MSGRCV:
      case MSGCTL: return &queues;
      case SHMAT:
      case SHMCTL: return &segments;
      default: return nullptr;
    }
  }
#else
  (void)arguments;
#endif
  switch (number) {
    case SYS_shmat:
    case SYS_shmctl: return &segments;
#ifdef SYS_semop
    case SYS_semop:
    case SYS_semtimedop:
#else
    case SYS_semtimedop_time64:
#endif
    case SYS_semctl: return &semaphores;
    case SYS_msgsnd:
    case SYS_msgrcv:
    case SYS_msgctl: return &queues;
    default: return nullptr;
  }
}

}  // namespace

void correct_calls() {
  int64_t number = 0;
  uint64_t arguments[6];
  uint64_t stack = 0;
  int32_t virtual_tid, real_tid;
  for (uint32_t i = 0; host->thread(i, &virtual_tid, &real_tid) == 1; ++i) {
    if (host->thread_call(i, &number, arguments, &stack) != 1) continue;
    uint32_t id = 0;
    const Spaces* spaces = spaces_of(number, arguments, &id);
    int64_t virtual_id = 0;
    if (spaces == nullptr || host->get_name(spaces->before, static_cast<int32_t>(arguments[id]), &virtual_id) != 0) continue;
    host->set_thread_argument(i, id, static_cast<uint64_t>(to_real(*spaces, static_cast<int32_t>(virtual_id))));
  }
}

int32_t virtual_process(int32_t real_pid) {
  const auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  return ids == nullptr || real_pid <= 0 ? real_pid : ids->to_virtual(real_pid);
}

}  // namespace cairn::sysv
