// Owns: System V message queues over a checkpoint: messages, size, key, owner and permissions. One process, elected by a shared
// name, saves a queue by MSG_COPY, which takes nothing out, and makes a new one at a restart, always: the old one may belong to a
// run that goes on. Who last sent and received and when is not brought back. [quiesced] saves; [restoring] makes, before the first
// barrier. Tests: test/probes (sysv/queues.c).
#include "sysv/queues.h"

#include <sys/mman.h>

#include "common/pool.h"
#include "common/text.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

namespace cairn::sysv {
namespace {

using plugin::Text;

/// As the system calls take and give it.
struct Buffer {
  long type;
  char text[];
};
struct Message {
  Message* next;
  uint64_t size;
  Buffer content;
};
struct Queue {
  int32_t id;      // virtual
  int32_t before;  // real, at the checkpoint
  int32_t key;
  int32_t maker;
  uint64_t bytes;
  uint32_t mode;
  uint32_t uid;
  uint32_t gid;
  Message* first;
};

constexpr uint32_t capacity = 1024;
// Part of the image: what this process saved.
Queue saved[capacity];
uint32_t saved_count = 0;
plugin::Pool pool;

int32_t fail(long error, int32_t id, const char* what) {
  Text<256> text;
  text.add(what).add(" (System V message queue, id ").add(int64_t{id}).add(")");
  return host->fail(static_cast<int32_t>(error), "message queue", text.text());
}

long copy_messages(int32_t real, uint64_t count, Buffer* buffer, long room, Message** last) {
  for (uint64_t i = 0; i < count; ++i) {
    long size = sys(SYS_msgrcv, real, pointer(buffer), room, static_cast<long>(i), IPC_NOWAIT | MSG_COPY);
    if (size < 0) return size;
    auto length = static_cast<uint64_t>(size);
    auto* message = static_cast<Message*>(pool.take(host, sizeof(Message) + length));
    if (message == nullptr) return -ENOMEM;
    message->next = nullptr;
    message->size = length;
    message->content.type = buffer->type;
    __builtin_memcpy(message->content.text, buffer->text, length);
    *last = message;
    last = &message->next;
  }
  return 0;
}

int32_t save_messages(Queue* queue, uint64_t count) {
  if (count == 0) return 0;
  struct msginfo limits = {};
  long error = sys(SYS_msgctl, 0, IPC_INFO, pointer(&limits));
  if (error < 0) return fail(error, queue->id, "the limits of messages cannot be read");
  long room = limits.msgmax;
  auto size = static_cast<long>(sizeof(Buffer)) + room;
  long memory = sys(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory < 0 && memory > -4096) return fail(memory, queue->id, "no memory for a message");
  error = copy_messages(queue->before, count, reinterpret_cast<Buffer*>(memory), room, &queue->first);
  sys(SYS_munmap, memory, size);
  return error < 0 ? fail(error, queue->id, "its messages cannot be copied") : 0;
}

int32_t save(int32_t id, int32_t real, int32_t maker) {
  struct msqid_ds status = {};
  long known = sys(SYS_msgctl, real, IPC_STAT, pointer(&status));
  if (known == -EINVAL || known == -EIDRM) {
    forget(queues, id);
    return 0;
  }
  if (known < 0) return fail(known, id, "its state cannot be read");
  int32_t chosen = plugin::elected(host, queues.savers, id);
  if (chosen < 0) return fail(chosen, id, "the processes cannot agree on who saves it");
  if (chosen == 0) return 0;
  if (saved_count == capacity) return fail(-E2BIG, id, "there are more than 1024 queues");
  int64_t key = status.msg_perm.__key;
  host->get_name(queues.keys, id, &key);
  Queue* queue = &saved[saved_count++];
  *queue = {id, real, static_cast<int32_t>(key), maker, status.msg_qbytes, status.msg_perm.mode, status.msg_perm.uid, status.msg_perm.gid, nullptr};
  return save_messages(queue, status.msg_qnum);
}

long fill(const Queue& queue, long real) {
  struct msqid_ds status = {};
  long error = sys(SYS_msgctl, real, IPC_STAT, pointer(&status));
  uint64_t given = status.msg_qbytes;
  // Messages may be more than a smaller size allows; who may not have a larger one is told so here.
  status.msg_qbytes = queue.bytes > given ? queue.bytes : given;
  if (error >= 0 && queue.bytes > given) error = sys(SYS_msgctl, real, IPC_SET, pointer(&status));
  for (const Message* message = queue.first; error >= 0 && message != nullptr; message = message->next) {
    error = sys(SYS_msgsnd, real, pointer(&message->content), static_cast<long>(message->size), IPC_NOWAIT);
  }
  status.msg_qbytes = queue.bytes;
  status.msg_perm.uid = queue.uid;
  status.msg_perm.gid = queue.gid;
  status.msg_perm.mode = static_cast<uint16_t>(queue.mode & 0777);
  return error < 0 ? error : sys(SYS_msgctl, real, IPC_SET, pointer(&status));
}

int32_t make(const Queue& queue) {
  int32_t shadowed = 0;
  long real = -EEXIST;
  if (queue.key != IPC_PRIVATE) {
    real = sys(SYS_msgget, queue.key, IPC_CREAT | IPC_EXCL | 0600);
    if (real == -EEXIST) shadowed = queue.key;
  }
  if (real == -EEXIST) real = sys(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);
  if (real < 0) return fail(real, queue.id, "it cannot be made again");
  long error = fill(queue, real);
  if (error >= 0) error = bind(queues, queue.id, queue.before, static_cast<int32_t>(real), queue.maker, shadowed);
  if (error >= 0 || error == -ENOENT) return 0;
  sys(SYS_msgctl, real, IPC_RMID);
  return fail(error, queue.id, "it cannot have its messages, size and permissions again");
}

}  // namespace

void forget_queues() {
  saved_count = 0;
  pool.reset();
  plugin::clear_names(host, queues.savers);
}

int32_t save_queues() {
  uint32_t index = 0;
  int64_t id, maker;
  while (host->next_name(queues.owned, &index, &id, &maker) == 0) {
    auto virtual_id = static_cast<int32_t>(id);
    if (int32_t error = save(virtual_id, to_real(queues, virtual_id), static_cast<int32_t>(maker))) return error;
  }
  return 0;
}

int32_t make_queues() {
  for (uint32_t i = 0; i < saved_count; ++i) {
    int32_t error = make(saved[i]);
    if (error == 0) continue;
    for (uint32_t done = 0; done < i; ++done) sys(SYS_msgctl, to_real(queues, saved[done].id), IPC_RMID);
    return error;
  }
  return 0;
}

}  // namespace cairn::sysv
