// mq_open and mq_unlink with the name that stands for a queue; mq_notify, of which the kernel does not tell the value again.
// [any] Lock-free. Test: test/probes/posix/queues.c
#include <stdarg.h>

#include "common/next.h"
#include "mqueue/queues.h"

namespace cairn::mqueue {
namespace {

template <typename Function>
using Next = plugin::Next<host, Function>;
Next<mqd_t(const char*, int, ...)> next_open{"mq_open", nullptr};
Next<int(const char*)> next_unlink{"mq_unlink", nullptr};
Next<int(mqd_t, const struct sigevent*)> next_notify{"mq_notify", nullptr};

struct Notification {
  uint64_t inode;  // 0: free
  struct sigevent event;
};
constexpr uint32_t capacity = 256;
// In the image.
Notification notifications[capacity];

}  // namespace

void note_notification(uint64_t inode, const struct sigevent* event) {
  for (Notification& one : notifications) {
    uint64_t found = 0;
    bool mine = event != nullptr && __atomic_compare_exchange_n(&one.inode, &found, inode, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (!mine && (event == nullptr ? __atomic_load_n(&one.inode, __ATOMIC_ACQUIRE) : found) != inode) continue;
    if (event != nullptr) one.event = *event;
    else __atomic_store_n(&one.inode, 0, __ATOMIC_RELEASE);
    return;
  }
}

bool find_notification(uint64_t inode, struct sigevent* event) {
  for (const Notification& one : notifications) {
    if (one.inode != inode) continue;
    *event = one.event;
    return true;
  }
  return false;
}

void forget_notifications() {
  for (Notification& one : notifications) one = {};
}

void prepare_calls() {
  next_open.get();
  next_unlink.get();
  next_notify.get();
}

}  // namespace cairn::mqueue

using namespace cairn::mqueue;

#define CAIRN_WRAP(result, name, ...)                                                        \
  extern "C" CAIRN_EXPORT result cairn_mqueue_##name(__VA_ARGS__) __asm__(#name);            \
  extern "C" result cairn_mqueue_##name(__VA_ARGS__)

CAIRN_WRAP(mqd_t, mq_open, const char* name, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  auto* attributes = (flags & O_CREAT) != 0 ? va_arg(list, struct mq_attr*) : nullptr;
  va_end(list);
  return next_open.get()(real_name(name).text(), flags, mode, attributes);
}

CAIRN_WRAP(mqd_t, __mq_open_2, const char* name, int flags) { return next_open.get()(real_name(name).text(), flags); }

CAIRN_WRAP(int, mq_unlink, const char* name) { return next_unlink.get()(real_name(name).text()); }

CAIRN_WRAP(int, mq_notify, mqd_t queue, const struct sigevent* event) {
  struct stat64 status;
  bool known = host != nullptr && sys(SYS_fstat, queue, pointer(&status)) == 0;
  if (known && event != nullptr && event->sigev_notify == SIGEV_THREAD) {
    struct sigevent kernels;
    long asked = notify_by_thread(queue, *event, &kernels);
    if (asked == 0) note_notification(status.st_ino, &kernels);
    else errno = static_cast<int>(-asked);
    return asked == 0 ? 0 : -1;
  }
  int result = next_notify.get()(queue, event);
  if (result == 0 && known) note_notification(status.st_ino, event);
  return result;
}
