// Makes the queues again: one process each, in RESTART; descriptors are opened by the name then. At the end the queue gets its mode and
// owner, one that had no name loses it, and whoever was to be told of a message asks again. [restoring]
// Test: test/probes/posix/queues.c
#include "mqueue/queues.h"

namespace cairn::mqueue {

int32_t make_queues() {
  if (queue_count > 0) plugin::allow_many_handles(host);
  for (uint32_t i = 0; i < queue_count; ++i) {
    Queue* queue = &queues[i];
    queue->handle = -1;
    queue->silenced = false;
    queue->made = false;
    if (!queue->made_here) continue;
    long fd = make_name(*queue);
    if (fd == -EMFILE || fd == -ENOSPC) return fail(fd, *queue, "it cannot be made again: there are too many queues of this user (ulimit -q, /proc/sys/fs/mqueue)");
    if (fd < 0) return fail(fd, *queue, fd == -EINVAL ? "it is larger than this system allows (/proc/sys/fs/mqueue)" : "it cannot be made again");
    queue->made = true;
    queue->handle = plugin::hide_handle(host, fd);
    if (queue->handle < 0) return fail(queue->handle, *queue, "there are too many open descriptors (ulimit -n)");
    for (uint32_t m = 0; m < queue->count; ++m) {
      const Message& message = queue->messages[m];
      const struct timespec over = {0, 0};
      long sent = sys(SYS_mq_timedsend, queue->handle, pointer(message.text), message.size, message.priority, pointer(&over));
      if (sent < 0) return fail(sent, *queue, "its messages cannot be put back");
    }
  }
  return 0;
}

int32_t restore(cairn_descriptor* wanted) {
  const Queue& queue = queues[wanted->token];
  long fd = sys(SYS_mq_open, pointer(made_name(queue).text() + 1), static_cast<long>(wanted->status_flags & (O_ACCMODE | O_NONBLOCK)), 0, 0);
  if (fd < 0) return fail(fd, queue, "it cannot be opened again");
  wanted->fd = static_cast<int32_t>(fd);
  return 0;
}

int32_t finish() {
  forget_notifications();
  for (uint32_t i = 0; i < queue_count; ++i) {
    Queue* queue = &queues[i];
    struct stat64 status = {};
    if (queue->handle >= 0) {
      if (queue->deleted) sys(SYS_mq_unlink, pointer(made_name(*queue).text() + 1));
      sys(SYS_fstat, queue->handle, pointer(&status));
      if (status.st_uid != queue->uid || status.st_gid != queue->gid) sys(SYS_fchown, queue->handle, queue->uid, queue->gid);
      sys(SYS_fchmod, queue->handle, queue->mode & 07777);
      host->close_fd(queue->handle);
      queue->handle = -1;
    }
    if (!queue->registered) continue;
    long result = sys(SYS_mq_notify, queue->fd, pointer(&queue->event));
    if (result < 0) return fail(result, *queue, "its notification cannot be asked for again");
    if (sys(SYS_fstat, queue->fd, pointer(&status)) == 0) note_notification(status.st_ino, &queue->event);
  }
  return 0;
}

void remove_made() {
  for (uint32_t i = 0; i < queue_count; ++i) {
    if (queues[i].made) sys(SYS_mq_unlink, pointer(made_name(queues[i]).text() + 1));
  }
}

}  // namespace cairn::mqueue
