// Taking all messages out of a queue and putting them back: there is no other way to see them. A process of its own does it, a copy of
// this one: what kills the application in between does not keep the messages from coming back. Should that process be killed, this
// one puts back what is missing. Whoever could receive one meanwhile is stopped. The order is kept: by priority, then by age.
// [quiesced] Test: test/probes/posix/queues.c
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "mqueue/queues.h"

namespace cairn::mqueue {
namespace {

struct Slot {
  uint64_t size;
  uint64_t priority;
};
/// Memory that both processes see.
struct Moved {
  uint64_t taken;
  uint64_t returned;
  int64_t error;
};

struct Job {
  Moved* moved;
  uint64_t room;   // of a slot with its text
  uint64_t count;
  uint64_t size;   // the largest text
  int32_t fd;
};

Slot* slot(const Job& job, uint64_t index) { return reinterpret_cast<Slot*>(reinterpret_cast<char*>(job.moved + 1) + index * job.room); }
char* text_of(Slot* one) { return reinterpret_cast<char*>(one + 1); }

// A moment that is over: no call waits.
constexpr struct timespec over = {0, 0};

void take(const Job& job) {
  while (job.moved->taken < job.count) {
    Slot* one = slot(job, job.moved->taken);
    uint32_t priority = 0;
    long size = sys(SYS_mq_timedreceive, job.fd, pointer(text_of(one)), static_cast<long>(job.size), pointer(&priority), pointer(&over));
    if (size == -EINTR) continue;
    if (size < 0) {
      job.moved->error = size;
      return;
    }
    *one = {static_cast<uint64_t>(size), priority};
    __atomic_store_n(&job.moved->taken, job.moved->taken + 1, __ATOMIC_RELEASE);
  }
}

void give_back(const Job& job) {
  while (job.moved->returned < job.moved->taken) {
    Slot* one = slot(job, job.moved->returned);
    long result = sys(SYS_mq_timedsend, job.fd, pointer(text_of(one)), static_cast<long>(one->size), static_cast<long>(one->priority), pointer(&over));
    if (result == -EINTR) continue;
    if (result < 0) {
      job.moved->error = result;
      return;
    }
    __atomic_store_n(&job.moved->returned, job.moved->returned + 1, __ATOMIC_RELEASE);
  }
}

long move_all(const Job& job) {
  long child = sys(SYS_clone, 0, 0, 0, 0, 0);  // without a signal at its end
  if (child == 0) {
    take(job);
    give_back(job);
    sys(SYS_exit_group, 0);
  }
  if (child < 0) return child;
  while (sys(SYS_wait4, child, 0, __WALL, 0) == -EINTR) {}
  give_back(job);
  if (job.moved->returned < job.moved->taken) return job.moved->error < 0 ? static_cast<long>(job.moved->error) : -EIO;
  return job.moved->taken < job.count && job.moved->error == 0 ? -ECHILD : static_cast<long>(job.moved->error);
}

}  // namespace

long copy_messages(Queue* queue) {
  Job job = {};
  job.count = static_cast<uint64_t>(queue->attributes.mq_curmsgs);
  job.size = static_cast<uint64_t>(queue->attributes.mq_msgsize);
  job.room = (sizeof(Slot) + job.size + 15) & ~uint64_t{15};
  auto bytes = static_cast<long>(sizeof(Moved) + job.count * job.room);
  queue->messages = static_cast<Message*>(pool.take(host, job.count * sizeof(Message)));
  long memory = queue->messages == nullptr ? -ENOMEM : sys(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory < 0 && memory > -4096) return memory;
  job.moved = reinterpret_cast<Moved*>(memory);
  long fd = open_again(queue->fd, O_RDWR);
  job.fd = static_cast<int32_t>(fd);
  long result = fd < 0 ? fd : move_all(job);
  for (uint64_t i = 0; result == 0 && i < job.count; ++i) {
    Slot* one = slot(job, i);
    auto* text = static_cast<char*>(pool.take(host, one->size + 1));
    if (text == nullptr) result = -ENOMEM;
    for (uint64_t at = 0; text != nullptr && at < one->size; ++at) text[at] = text_of(one)[at];
    queue->messages[queue->count++] = {static_cast<uint32_t>(one->size), static_cast<uint32_t>(one->priority), text};
  }
  if (fd >= 0) sys(SYS_close, fd);
  sys(SYS_munmap, memory, bytes);
  return result;
}

}  // namespace cairn::mqueue
