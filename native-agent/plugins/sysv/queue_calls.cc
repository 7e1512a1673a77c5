// Owns: the wrappers of msgget, msgsnd, msgrcv and msgctl, which show the application virtual ids and keys. Until a first restart they
// only note what the computation makes. Receiving and sending are points of cancellation in libc's functions, which do the work.
// [any] Tests: test/probes (sysv/queues.c).
#include "sysv/get.h"
#include "sysv/queues.h"

namespace cairn::sysv {
namespace {

Next<int(key_t, int)> next_get{"msgget", nullptr};
Next<int(int, const void*, size_t, int)> next_send{"msgsnd", nullptr};
Next<ssize_t(int, void*, size_t, long, int)> next_receive{"msgrcv", nullptr};
Next<int(int, int, struct msqid_ds*)> next_control{"msgctl", nullptr};
#if __SIZEOF_POINTER__ == 4
Next<int(int, int, struct __msqid64_ds*)> next_control64{"__msgctl64", nullptr};
#endif

int look(int real_id) {
  struct msqid_ds status;
  return static_cast<int>(sys(SYS_msgctl, real_id, IPC_STAT, pointer(&status)));
}

template <typename Status>
void show(int32_t id, Status* status) {
  int64_t key = 0;
  if (host->get_name(queues.keys, id, &key) == 0) status->msg_perm.__key = static_cast<key_t>(key);
  status->msg_lspid = virtual_process(status->msg_lspid);
  status->msg_lrpid = virtual_process(status->msg_lrpid);
}

}  // namespace

void prepare_queue_calls() {
  next_get.get();
  next_send.get();
  next_receive.get();
  next_control.get();
}

CAIRN_WRAP(int, msgget, (key_t key, int flags), (key, flags)) {
  return get(queues, key, flags, [](int32_t asked, int how) { return next_get.get()(asked, how); }, look);
}

CAIRN_WRAP(int, msgsnd, (int id, const void* message, size_t size, int flags), (id, message, size, flags)) {
  return next_send.get()(active() ? to_real(queues, id) : id, message, size, flags);
}

CAIRN_WRAP(ssize_t, msgrcv, (int id, void* message, size_t size, long type, int flags), (id, message, size, type, flags)) {
  return next_receive.get()(active() ? to_real(queues, id) : id, message, size, type, flags);
}

CAIRN_WRAP(int, msgctl, (int id, int command, struct msqid_ds* status), (id, command, status)) {
  if (!active() || command == IPC_INFO || command == MSG_INFO) return next_control.get()(id, command, status);
  if (command == MSG_STAT || command == MSG_STAT_ANY) {  // by the place in the kernel's table; gives the id
    int result = to_virtual(queues, next_control.get()(id, command, status));
    if (result >= 0) show(result, status);
    return result;
  }
  int result = next_control.get()(to_real(queues, id), command, status);
  if (result >= 0 && command == IPC_STAT) show(id, status);
  return result;
}

#if __SIZEOF_POINTER__ == 4
// For programs with 64-bit times: what differs is the structure that is filled.
CAIRN_WRAP(int, __msgctl64, (int id, int command, struct __msqid64_ds* status), (id, command, status)) {
  if (!active()) return next_control64.get()(id, command, status);
  if (command == IPC_INFO || command == MSG_INFO) return next_control64.get()(id, command, status);
  if (command == MSG_STAT || command == MSG_STAT_ANY) {
    int real_id = next_control64.get()(id, command, status);
    int result = to_virtual(queues, real_id);
    if (real_id >= 0) show(result, status);
    return result;
  }
  int result = next_control64.get()(to_real(queues, id), command, status);
  if (result >= 0 && command == IPC_STAT) show(id, status);
  return result;
}
#endif

}  // namespace cairn::sysv
