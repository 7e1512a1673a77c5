// Queues that are filled when all descriptors of all processes are back: those with passed descriptors, and those whose receiver is told
// who sent what. The kernel puts the sender's id to what it sends: so each message is sent by the process that sent it, out of the
// memory of the one that has the record, in the order that the shared names say. What a process has sent that is no more is sent by
// the one with the record.
// [restoring] Each process works on all queues at once, since it may have to wait in one for another process.
// Tests: test/probes/sockets (passed*.c, credentials.c)
#include <sys/uio.h>
#include <time.h>

#include "common/handles.h"
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

constexpr uint32_t records = plugin::name_space("socket.deferred");     // inode at the checkpoint -> address of its record
constexpr uint32_t holders = plugin::name_space("socket.deferred.in");  // -> real pid of the process that has it
constexpr uint32_t turns = plugin::name_space("socket.deferred.turn");  // -> how many messages are there
constexpr int32_t patience_ms = 20000;

struct Queue {
  int64_t key;
  int64_t holder;
  Socket socket;          // a copy; fd: here
  const Message* next;    // in the holder's memory
  int64_t index;
  uint32_t mine;          // messages that are left for this process
};
constexpr uint32_t capacity = 1024;
Queue queues[capacity];
uint32_t queue_count = 0;

bool held_here(const Queue& queue) { return queue.holder == host->real_pid(); }

bool is_mine(const Queue& queue, const Message& message) {
  return message.author == host->virtual_pid() || (message.author == 0 && held_here(queue));
}

int32_t read_queue(Queue* queue) {
  int64_t address = 0;
  if (host->get_name(records, queue->key, &address) < 0 || host->get_name(holders, queue->key, &queue->holder) < 0) return -ENOENT;
  if (long error = read_of(queue->holder, reinterpret_cast<const void*>(address), &queue->socket, sizeof(Socket)); error < 0) return static_cast<int32_t>(error);
  queue->next = queue->socket.queue;
  queue->index = 0;
  queue->mine = 0;
  Message message;
  for (const Message* at = queue->next; at != nullptr; at = message.next) {
    if (long error = read_of(queue->holder, at, &message, sizeof message); error < 0) return static_cast<int32_t>(error);
    queue->mine += is_mine(*queue, message) ? 1 : 0;
  }
  return 0;
}

int32_t of_holder(const Queue& queue, int32_t fd) {
  if (held_here(queue)) return static_cast<int32_t>(sys(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0));
  return plugin::take_descriptor(host, queue.holder, fd);
}

/// What the message is sent through, and the address; size 0: it is connected.
int32_t open_way(const Queue& queue, const Message& message, Address* to) {
  const Socket& socket = queue.socket;
  to->size = 0;
  if (socket.role == Role::waiting) return pending_end(socket.inode);
  if (socket.role == Role::paired) {
    if (socket.peer_process == host->virtual_pid()) return static_cast<int32_t>(sys(SYS_fcntl, socket.peer_fd, F_DUPFD_CLOEXEC, 0));
    return fetch(socket.peer_process, socket.peer_fd);
  }
  if (socket.role != Role::loose) return of_holder(queue, socket.helper);
  Socket receiver = socket;
  receiver.fd = of_holder(queue, socket.fd);
  if (receiver.fd < 0) return receiver.fd;
  int32_t sender = open_sender(receiver, message);
  int32_t error = 0;
  if (sender >= 0 && held_here(queue)) {
    error = address_for(receiver, sender, to);
  } else if (sender >= 0) {
    Address unused = {};
    read_addresses(receiver.fd, to, &unused);
  }
  sys(SYS_close, receiver.fd);
  if (error < 0 && sender >= 0) sys(SYS_close, sender);
  return error < 0 ? error : sender;
}

void pause_a_moment() {
  struct timespec pause = {0, 1000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

int32_t send_with(int32_t way, const Address& to, const Message& message, const char* data, const int32_t* passed) {
  alignas(8) static char control[CMSG_SPACE(256 * sizeof(int32_t))];
  iovec part = {const_cast<char*>(data), message.size};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_name = to.size > 0 ? const_cast<char*>(to.bytes) : nullptr;
  header.msg_namelen = to.size;
  if (message.passed_count > 0) {
    uint64_t size = message.passed_count * sizeof(int32_t);
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(size);
    auto* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(size);
    copy_bytes(CMSG_DATA(first), passed, size);
  }
  long count = -EAGAIN;
  for (int32_t waited = 0; (count == -EAGAIN || count == -ENOBUFS || count == -EINTR) && waited < 500; ++waited) {
    if (waited > 0) pause_a_moment();
    count = sys(SYS_sendmsg, way, pointer(&header), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (count < 0 || count == static_cast<long>(message.size)) return count < 0 ? static_cast<int32_t>(count) : 0;
  return send_whole(way, data + count, message.size - static_cast<uint64_t>(count));
}

int32_t send_one(const Queue& queue, const Message* from, const Message& message) {
  uint64_t room = (message.size + 4096) & ~uint64_t{4095};
  long place = sys(SYS_mmap, 0, static_cast<long>(room), 3 /* PROT_READ | PROT_WRITE */, 0x22 /* MAP_PRIVATE | MAP_ANONYMOUS */, -1, 0);
  if (place < 0 && place > -4096) return static_cast<int32_t>(place);
  auto* data = reinterpret_cast<char*>(place);
  int32_t passed[256], had = 0;
  long error = read_of(queue.holder, from->data, data, message.size);
  if (error >= 0 && message.passed_count > 0) error = read_of(queue.holder, message.passed, passed, message.passed_count * sizeof(int32_t));
  for (; error >= 0 && had < static_cast<int32_t>(message.passed_count); ++had) {
    int32_t taken = of_holder(queue, passed[had]);
    if (taken < 0) {
      error = taken;
      break;
    }
    passed[had] = taken;
  }
  Address to = {};
  int32_t way = error < 0 ? -1 : open_way(queue, message, &to);
  if (error >= 0) error = way < 0 ? way : send_with(way, to, message, data, passed);
  if (way >= 0) sys(SYS_close, way);
  while (had > 0) sys(SYS_close, passed[--had]);
  sys(SYS_munmap, place, static_cast<long>(room));
  return static_cast<int32_t>(error);
}

/// Sends what is this process's next; 1: something was.
int32_t advance(Queue* queue) {
  int64_t turn = 0;
  int32_t result = 0;
  while (queue->mine > 0 && host->get_name(turns, queue->key, &turn) == 0) {
    Message message;
    if (queue->next == nullptr) return -EPROTO;
    if (long error = read_of(queue->holder, queue->next, &message, sizeof message); error < 0) return static_cast<int32_t>(error);
    // Sent before, where this begins again.
    if (queue->index < turn && is_mine(*queue, message)) --queue->mine;
    if (queue->index >= turn) {
      if (!is_mine(*queue, message)) return result;
      bool nothing = message.size == 0 && is_stream(queue->socket);
      if (int32_t error = nothing ? 0 : send_one(*queue, queue->next, message)) return error;
      host->set_name(turns, queue->key, queue->index + 1);
      --queue->mine;
      result = 1;
    }
    queue->next = message.next;
    ++queue->index;
  }
  return result;
}

bool lives(int32_t author) {
  int64_t real = 0;
  return host->get_name(CAIRN_NAMES_PROCESS, author, &real) == 0 && sys(SYS_kill, real, 0) != -ESRCH;
}

}  // namespace

long read_of(int64_t pid, const void* from, void* to, uint64_t size) {
  if (pid == host->real_pid()) {
    copy_bytes(to, from, size);
    return 0;
  }
  iovec here = {to, static_cast<size_t>(size)}, there = {const_cast<void*>(from), static_cast<size_t>(size)};
  long count = sys(SYS_process_vm_readv, pid, pointer(&here), 1, pointer(&there), 1, 0);
  return count == static_cast<long>(size) ? 0 : count < 0 ? count : -EIO;
}

int64_t delivered(uint64_t inode) {
  int64_t turn = 0;
  return host->get_name(turns, static_cast<int64_t>(inode), &turn) == 0 ? turn : INT64_MAX;
}

void forget_delivered(uint64_t inode) {
  const uint32_t spaces[] = {records, holders, turns};
  for (uint32_t space : spaces) host->remove_name(space, static_cast<int64_t>(inode));
}

void tell_deferred(const Socket& one) {
  // From another process's folder a relative name would lead elsewhere.
  bool only_here = one.role == Role::loose && has_path(one.shown_local);
  bool strangers = false;
  for (Message* message = one.queue; message != nullptr; message = message->next) {
    if (message->author == 0 || (!only_here && lives(message->author))) continue;
    strangers = strangers || message->author != host->virtual_pid();
    message->author = 0;
  }
  if (strangers) host->log(CAIRN_LOG_WARNING, "what waits in a socket was sent by a process that cannot send it again; its receiver is told another sender (SCM_CREDENTIALS)");
  auto key = static_cast<int64_t>(one.inode);
  host->set_name(turns, key, 0);
  host->set_name(holders, key, host->real_pid());
  host->set_name(records, key, pointer(&one));
}

int32_t deliver_deferred() {
  uint32_t index = 0;
  int64_t key = 0, address = 0;
  queue_count = 0;
  while (host->next_name(records, &index, &key, &address) == 0) {
    if (queue_count == capacity) return host->fail(-E2BIG, "socket", "more than 1024 sockets have descriptors or credentials in their queues");
    Queue* queue = &queues[queue_count++];
    queue->key = key;
    if (int32_t error = read_queue(queue); error < 0) return host->fail(error, "socket", "what waits in a socket cannot be read from the process that has it (process_vm_readv)");
  }
  if (queue_count > 0) plugin::allow_many_handles(host);
  for (int32_t waited = 0; waited < patience_ms;) {
    uint32_t left = 0;
    bool moved = false;
    for (uint32_t i = 0; i < queue_count; ++i) {
      int32_t result = advance(&queues[i]);
      if (result < 0) return fail(result, queues[i].socket, "what was in its queue cannot be put back");
      moved = moved || result > 0;
      left += queues[i].mine;
    }
    if (left == 0) return 0;
    if (moved) continue;
    pause_a_moment();
    ++waited;
  }
  return host->fail(-ETIMEDOUT, "socket", "a process does not send what it had sent before to a socket");
}

void forget_deferred() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere || !one->deferred) continue;
    forget_delivered(one->inode);
    if (one->helper < 0) continue;
    long copy = sys(SYS_fcntl, one->helper, F_DUPFD_CLOEXEC, 0);
    host->close_fd(one->helper);
    one->helper = -1;
    if (copy >= 0) end_peer(*one, static_cast<int32_t>(copy));
  }
}

}  // namespace cairn::sockets
