// Connections to processes of the computation on other hosts, at a checkpoint. Each end tells all hosts its two addresses, by which the
// other finds it; what one host's kernel knows of its sockets another's cannot be asked. What does not fit into a receiver's queue is
// handed back to its sender in a file of the folder that all hosts see, as within a host in a file in memory (drain.cc).
//
//   s<pid>.<fd>   of a sender whose data does not fit: "0", and "1" when all of it has left
//   d<pid>.<fd>   of a receiver: what it has taken out; beside its name until it is whole. n<pid>.<fd>: it has taken nothing
//
// [quiesced] Test: test/hosts (connections).
#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/handles.h"
#include "socket/away.h"

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif

namespace cairn::sockets {
namespace {

constexpr uint32_t ends_space = plugin::name_space("socket.away.ends");
constexpr uint32_t stuck_space = plugin::name_space("socket.away.stuck");
constexpr uint64_t piece = 60 * 1024;  // as in queue.cc
constexpr int32_t drain_patience_ms = 10'000;
constexpr int32_t abort_patience_ms = 2000;

/// By which the two ends of a connection find each other: what is local for one is the peer for the other.
struct Ends {
  uint32_t type;
  uint32_t machine;  // of loopback addresses, which every machine has
  char local[20], peer[20];
};

struct End {
  int32_t process;
  int32_t fd;
  int32_t family;
  int32_t reserved;
  uint64_t inode;
};

void put(const Address& given, char* place) {
  Address address = as_family(given, AF_INET);
  bool four = address.family() == AF_INET;
  copy_bytes(place, address.bytes, 4);
  copy_bytes(place + 4, address.bytes + (four ? 4 : 8), four ? 4 : 16);
}

Ends ends_of(int32_t type, const Address& local, const Address& peer) {
  Ends ends = {};
  ends.type = static_cast<uint32_t>(type);
  int64_t machine = 0;
  if (is_loopback(local) && host->get_name(CAIRN_NAMES_HOST, CAIRN_HOST_MACHINE, &machine) == 0) ends.machine = static_cast<uint32_t>(machine) + 1;
  put(local, ends.local);
  put(peer, ends.peer);
  return ends;
}

void pause_a_moment() {
  struct timespec pause = {0, 2000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

bool write_small(const char* path, const char* text) {
  long fd = sys(SYS_openat, AT_FDCWD, pointer(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool good = sys(SYS_write, fd, pointer(text), static_cast<long>(plugin::length_of(text))) > 0;
  return sys(SYS_close, fd) == 0 && good;
}

bool is_there(const char* path) {
  // Opened, not looked at: a file system over a network asks its server then.
  long fd = sys(SYS_openat, AT_FDCWD, pointer(path), O_RDONLY | O_CLOEXEC, 0);
  if (fd >= 0) sys(SYS_close, fd);
  return fd >= 0;
}

int32_t unsent(const Socket& one) {
  int32_t left = 0;
  sys(SYS_ioctl, one.fd, SIOCOUTQ, pointer(&left));
  return left;
}

bool all_has_left(const Socket& receiver) {
  char state[4] = {};
  return plugin::read_file(host, file_name('s', receiver.peer_process, receiver.peer_fd).text(), state, sizeof state) == 1 && state[0] == '1';
}

/// Takes what has arrived. 0, or -errno after host->fail.
int32_t take_arrived(Socket* one) {
  for (;;) {
    int32_t there = 0;
    sys(SYS_ioctl, one->fd, FIONREAD, pointer(&there));
    if (there <= 0) return 0;
    // Memory first: nothing may be taken out that there is no place for.
    Message* message = add_message(one, there < static_cast<int32_t>(piece) ? static_cast<uint32_t>(there) : piece);
    if (message == nullptr) return host->fail(-ENOMEM, "socket", "no memory for what is on the way on a connection");
    long count = sys(SYS_recvfrom, one->fd, pointer(message->data), message->size, MSG_DONTWAIT, 0, 0);
    message->size = count < 0 ? 0 : static_cast<uint32_t>(count);
    if (count <= 0) return 0;
  }
}

int32_t hand_back(Socket* one) {
  if (one->handed_back) return 0;
  one->handed_back = true;
  return write_queue('d', *one);
}

}  // namespace

bool several_hosts() { return host->exchange_folder != nullptr && host->exchange_folder() != nullptr; }

Text<4400> file_name(char kind, int32_t process, int32_t fd) {
  char letter[2] = {kind, 0};
  Text<4400> path;
  path.add(host->exchange_folder()).add("/").add(letter).add(int64_t{process}).add(".").add(int64_t{fd});
  return path;
}

int32_t write_queue(char kind, const Socket& one) {
  Text<4400> path = file_name(kind, host->virtual_pid(), one.fd), beside = path;
  beside.add("+");
  long fd = sys(SYS_openat, AT_FDCWD, pointer(beside.text()), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  long result = fd < 0 ? fd : 0;
  for (const Message* message = one.queue; result >= 0 && message != nullptr; message = message->next) {
    for (uint32_t written = 0; result >= 0 && written < message->size;) {
      long count = sys(SYS_write, fd, pointer(message->data + written), message->size - written);
      if (count == -EINTR) continue;
      if (count < 0) result = count;
      else written += static_cast<uint32_t>(count);
    }
  }
  if (fd >= 0) {
    long closed = sys(SYS_close, fd);
    if (result >= 0) result = closed;
  }
  if (result >= 0) result = sys(SYS_renameat, AT_FDCWD, pointer(beside.text()), AT_FDCWD, pointer(path.text()));
  return result < 0 ? host->fail(static_cast<int32_t>(result), path.text(), "what is in a connection to another host cannot be written to the store") : 0;
}

int32_t send_file(char kind, int32_t process, int32_t fd, int32_t to) {
  Text<4400> path = file_name(kind, process, fd);
  long file = sys(SYS_openat, AT_FDCWD, pointer(path.text()), O_RDONLY | O_CLOEXEC, 0);
  if (file < 0) return host->fail(static_cast<int32_t>(file), path.text(), "what was in a connection to another host cannot be sent again");
  static char buffer[64 * 1024];
  int32_t result = 0;
  long count = 0;
  while (result == 0 && (count = sys(SYS_read, file, pointer(buffer), sizeof buffer)) > 0) result = send_whole(to, buffer, static_cast<uint64_t>(count));
  sys(SYS_close, file);
  if (result == 0) result = static_cast<int32_t>(count);
  return result < 0 ? host->fail(result, path.text(), "what was in a connection to another host cannot be sent again") : 0;
}

void tell_ends(const Socket& one) {
  if (!several_hosts() || is_unix(one) || !is_stream(one) || one.role != Role::paired) return;
  Ends own = ends_of(one.type, one.local, one.peer), other = ends_of(one.type, one.peer, one.local);
  other.machine = own.machine;
  End end = {host->virtual_pid(), one.fd, one.family, 0, one.inode};
  host->tell_hosts(ends_space, &own, sizeof own, &end, sizeof end);
  host->ask_hosts(ends_space, &other, sizeof other);
}

bool find_away(Socket* one) {
  if (!several_hosts()) return false;
  Ends other = ends_of(one->type, one->peer, one->local);
  other.machine = ends_of(one->type, one->local, one->peer).machine;
  cairn_answer answer = {};
  if (host->answer_of_hosts(ends_space, &other, sizeof other, &answer) != 0 || answer.value_size != sizeof(End)) return false;
  End end;
  copy_bytes(&end, answer.value, sizeof end);
  if (end.process == host->virtual_pid()) return false;
  one->away = true;
  one->peer_process = end.process;
  one->peer_fd = end.fd;
  one->peer_family = end.family;
  one->peer_inode = end.inode;
  PlaceKey peer = {end.process, end.fd};
  host->ask_hosts(stuck_space, &peer, sizeof peer);
  return true;
}

int32_t tell_stuck(const Socket& one) {
  PlaceKey own = {host->virtual_pid(), one.fd};
  if (!write_small(file_name('s', own.process, own.fd).text(), "0")) return host->fail(-EIO, "socket", "the store takes no file for what is on the way on a connection");
  host->tell_hosts(stuck_space, &own, sizeof own, "1", 1);
  return 0;
}

/// A process may have to take and to wait for what leaves, on several connections: all at once.
int32_t drain_away() {
  if (!several_hosts()) return 0;
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    PlaceKey peer = {one->peer_process, one->peer_fd};
    cairn_answer answer = {};
    if (!one->away || host->answer_of_hosts(stuck_space, &peer, sizeof peer, &answer) != 0) continue;
    one->drained = true;
    one->queue = nullptr;
    one->queue_end = &one->queue;
  }
  bool left = true;
  for (int32_t waited = 0; left; waited += 2) {
    if (waited > drain_patience_ms) return host->fail(-ETIMEDOUT, "socket", "what is on the way on a connection to another host does not arrive");
    left = false;
    for (Socket* one = sockets; one != nullptr; one = one->next) {
      if (!one->away) continue;
      if (one->refills && !one->has_left) {
        one->has_left = unsent(*one) == 0;
        if (one->has_left && !write_small(file_name('s', host->virtual_pid(), one->fd).text(), "1")) return host->fail(-EIO, "socket", "the store takes no file for what is on the way on a connection");
        left = left || !one->has_left;
      }
      if (one->drained && !one->handed_back) {
        // The look comes first: what arrives after it is taken the next time.
        bool all = all_has_left(*one);
        if (int32_t error = take_arrived(one); error < 0) return error;
        if (all) {
          if (int32_t error = hand_back(one); error < 0) return error;
        } else {
          left = true;
        }
      }
    }
    if (left) pause_a_moment();
  }
  return 0;
}

int32_t refill_away(const Socket& one) { return send_file('d', one.peer_process, one.peer_fd, one.fd); }

/// As within a host: a sender waits until its receiver says that it took nothing, or has taken all. What comes before the receiver knows
/// of its sender takes nothing either.
void abort_away() {
  if (!several_hosts()) return;
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (!one->away) continue;
    if (one->drained) (void)hand_back(one);
    else (void)write_small(file_name('n', host->virtual_pid(), one->fd).text(), "1");
  }
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (!one->away || !one->refills) continue;
    Text<4400> taken = file_name('d', one->peer_process, one->peer_fd), nothing = file_name('n', one->peer_process, one->peer_fd);
    bool whole = false;
    for (int32_t waited = 0; waited < abort_patience_ms && !(whole = is_there(taken.text())) && !is_there(nothing.text()); waited += 2) pause_a_moment();
    if (whole) (void)refill_away(*one);
    one->refills = false;
  }
}

}  // namespace cairn::sockets
