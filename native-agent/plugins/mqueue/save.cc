// What a queue is, and who is to be told of its next message: the kernel's own text about it says the process, not the value. While
// messages are taken out and put back nobody may be told: each process takes its registration back for that moment.
// [quiesced] Test: test/probes/posix/queues.c
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "mqueue/queues.h"

namespace cairn::mqueue {
namespace {

constexpr long magic = 0x19800202;
constexpr uint32_t savers = plugin::name_space("mqueue.saver");

/// The kernel's text about a queue. Where the descriptor cannot read, a process of its own opens another: when the one that is to be
/// told closes any, the kernel forgets what it asked for.
long read_text(const Queue& queue, char* text, long room) {
  if ((sys(SYS_fcntl, queue.fd, F_GETFL) & O_ACCMODE) != O_WRONLY) return sys(SYS_pread64, queue.fd, pointer(text), room, 0);
  constexpr long bytes = 4096;
  long memory = sys(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory < 0 && memory > -4096) return memory;
  auto* shared = reinterpret_cast<long*>(memory);
  *shared = -ECHILD;
  long child = sys(SYS_clone, 0, 0, 0, 0, 0);  // without a signal at its end
  if (child == 0) {
    long fd = open_again(queue.fd, O_RDONLY);
    *shared = fd < 0 ? fd : sys(SYS_pread64, fd, memory + 16, room, 0);
    sys(SYS_exit_group, 0);
  }
  while (child > 0 && sys(SYS_wait4, child, 0, __WALL, 0) == -EINTR) {}
  long size = child < 0 ? child : *shared;
  for (long i = 0; i < size; ++i) text[i] = reinterpret_cast<const char*>(memory + 16)[i];
  sys(SYS_munmap, memory, bytes);
  return size;
}

/// Who is to be told (a real pid; 0: nobody), and how.
int32_t read_registration(const Queue& queue, int64_t* owner, int64_t* how) {
  char text[256];
  long size = read_text(queue, text, sizeof text - 1);
  if (size < 0) return static_cast<int32_t>(size);
  text[size] = 0;
  *owner = *how = 0;
  for (const char* at = text; *at != 0; ++at) {
    const char* rest;
    if (plugin::begins(at, "NOTIFY:", &rest)) (void)plugin::read_number(&rest, 10, how);
    else if (plugin::begins(at, "NOTIFY_PID:", &rest)) (void)plugin::read_number(&rest, 10, owner);
  }
  return 0;
}

bool of_computation(int64_t real_pid) {
  uint32_t index = 0;
  int64_t virtual_id, real;
  while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real) == 0) {
    if (real == real_pid) return true;
  }
  return real_pid == host->real_pid();
}

bool has_open(int64_t pid, const Queue& queue) {
  Text<64> path;
  path.add("/proc/").add(pid).add("/fd");
  bool found = false;
  (void)plugin::for_each_entry(host, path.text(), [&](long folder, const plugin::KernelDirent& entry) {
    struct stat64 status = {};
    found = sys(SYS_newfstatat, folder, pointer(entry.name), pointer(&status), 0) == 0 && status.st_ino == queue.inode && status.st_dev == queue.device;
    return found;
  });
  return found;
}

/// Cairn's own processes beside those of the computation have the same descriptors for a moment; they are children of those.
int64_t parent_of(int64_t pid) {
  Text<64> path;
  char text[512] = "";
  path.add("/proc/").add(pid).add("/status");
  const char* value = nullptr;
  // The beginning is enough.
  if (plugin::read_file(host, path.text(), text, sizeof text) == -EFBIG || text[0] != 0) value = plugin::line_value(text, "PPid:");
  int64_t parent = 0;
  return value != nullptr && plugin::read_number(&value, 10, &parent) ? parent : 0;
}

/// A process outside that has the queue, as far as this one may see it; 0: none.
int64_t find_outsider(const Queue& queue) {
  int64_t found = 0;
  (void)plugin::for_each_entry(host, "/proc", [&](long, const plugin::KernelDirent& entry) {
    const char* name = entry.name;
    int64_t pid = 0;
    if (!plugin::read_number(&name, 10, &pid) || *name != 0 || of_computation(pid)) return false;
    if (has_open(pid, queue) && !of_computation(parent_of(pid))) found = pid;
    return found != 0;
  });
  return found;
}

int32_t refuse(const Queue& queue, const char* what, int32_t error = -ENOTSUP) {
  Text<512> text;
  text.add(what).add(". The computation runs on");
  return fail(error, queue, text.text());
}

int32_t silence(Queue* queue) {
  int64_t owner = 0, how = 0;
  if (int32_t error = read_registration(*queue, &owner, &how); error < 0) return fail(error, *queue, "what the kernel says of it cannot be read");
  bool filled = queue->attributes.mq_curmsgs > 0;
  if (owner != 0 && !of_computation(owner) && filled) return refuse(*queue, "a process outside of the computation is to be told of its messages (mq_notify), so that they cannot be looked at; try again when it is empty");
  if (owner != host->real_pid()) return 0;
  // Another kind than is known of: of before an attach, or of a system call.
  if (!find_notification(queue->inode, &queue->event) || queue->event.sigev_notify != how) return refuse(*queue, "its notification was asked for by a system call of the program's own, or before cairn attach, so that it cannot be brought back; take it back (mq_notify) before the checkpoint");
  queue->registered = true;
  // The kernel's word that it is taken back must not be mistaken for another.
  if (filled && how == SIGEV_THREAD && notice_waits()) return refuse(*queue, "a thread is just to be started for a message that has come (mq_notify); try again", -EAGAIN);
  if (filled && sys(SYS_mq_notify, queue->fd, 0) >= 0) queue->silenced = true;
  if (queue->silenced && how == SIGEV_THREAD) forget_taken_back();
  return 0;
}

}  // namespace

int32_t claim(cairn_descriptor* offer) {
  if (!S_ISREG(offer->mode)) return 0;
  struct statfs system = {};
  if (sys(SYS_fstatfs, offer->fd, pointer(&system)) < 0 || system.f_type != magic) return 0;
  for (uint32_t i = 0; i < queue_count; ++i) {
    if (queues[i].inode != offer->inode || queues[i].device != offer->device) continue;
    offer->token = i;
    return 1;
  }
  if (queue_count == max_queues) return host->fail(-EMFILE, "message queue", "there are more than 1024 message queues");
  Queue* queue = &queues[queue_count];
  struct stat64 status = {};
  sys(SYS_fstat, offer->fd, pointer(&status));
  *queue = {};
  queue->device = offer->device;
  queue->inode = offer->inode;
  queue->fd = offer->fd;
  queue->mode = offer->mode;
  queue->uid = status.st_uid;
  queue->gid = status.st_gid;
  queue->deleted = offer->deleted != 0;
  queue->handle = -1;
  queue->name = virtual_name(offer->path);
  if (queue->name == nullptr) return host->fail(-ENOMEM, "message queue", "no memory for the name of a message queue");
  if (long error = sys(SYS_mq_getsetattr, queue->fd, 0, pointer(&queue->attributes)); error < 0) return fail(error, *queue, "its attributes cannot be read");
  int32_t error = silence(queue);
  if (error < 0) return error;
  offer->token = queue_count++;
  return 1;
}

int32_t read_messages() {
  for (uint32_t i = 0; i < queue_count; ++i) {
    Queue* queue = &queues[i];
    int32_t chosen = plugin::elected(host, savers, key_of(*queue));
    if (chosen < 0) return fail(chosen, *queue, "the processes cannot agree on who saves it");
    queue->made_here = chosen == 1;
    if (!queue->made_here || queue->attributes.mq_curmsgs == 0) continue;
    if (int64_t outsider = find_outsider(*queue); outsider != 0) {
      Text<256> text;
      text.add("process ").add(outsider).add(" outside of the computation has it open, too, and would miss the messages while they are looked at; try again when it is empty");
      return refuse(*queue, text.text(), -EAGAIN);
    }
    if (long error = copy_messages(queue); error < 0) return fail(error, *queue, "its messages cannot be read");
  }
  return 0;
}

void forget_queues() {
  queue_count = 0;
  pool.reset();
  plugin::clear_names(host, savers);
}

int32_t notify_again() {
  for (uint32_t i = 0; i < queue_count; ++i) {
    if (!queues[i].silenced) continue;
    queues[i].silenced = false;
    sys(SYS_mq_notify, queues[i].fd, pointer(&queues[i].event));
  }
  return 0;
}

}  // namespace cairn::mqueue
