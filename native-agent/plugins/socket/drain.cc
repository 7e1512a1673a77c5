// TCP: what was sent and does not fit into the receiver's queue. Mostly nothing is left once everybody stands still. Where something
// is, the receiver takes all out, into the image and into a file in memory, and the sender sends it again from there, before the
// image is written: so the connection goes on as it was, and nothing is left to do when the application runs again.
// [quiesced] Steps with a barrier between them: settle_queues, drain, refill. Test: test/probes/sockets/tcp_full.c
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "socket/away.h"

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif

namespace cairn::sockets {
namespace {

// An acknowledgement may be put off for 200 ms.
constexpr int32_t patience_ms = 300;
constexpr uint64_t piece = 60 * 1024;  // as in queue.cc
constexpr uint32_t quiet_ms = 2000;
// The phase has a deadline, and all threads stand still.
constexpr uint32_t longest_try_ms = 15'000;
constexpr int32_t nothing_taken = -2;
/// Added to an inode: its socket has something to send that does not fit.
constexpr uint64_t stuck = uint64_t{1} << 40;

bool has_connection(const Socket& one) { return !one.elsewhere && !is_unix(one) && is_stream(one) && one.role == Role::paired; }

int32_t unsent(const Socket& one) {
  int32_t left = 0;
  sys(SYS_ioctl, one.fd, SIOCOUTQ, pointer(&left));
  return left;
}

void pause_a_moment() {
  struct timespec pause = {0, 2000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

/// Nothing more is on the way from the peer; else when it is to try again.
bool all_arrived(const Socket& one, uint32_t* next_try_ms) {
  InetState peer;
  if (inet_state(one.protocol, one.peer, one.local, &peer) < 0 || peer.send_queue == 0) return true;
  *next_try_ms = peer.next_try_ms;
  return false;
}

int32_t drain_one(Socket* one) {
  // Taking out stops at its place, and would go wrong behind it.
  if (has_urgent(*one)) return refuse_for_now(*one, "urgent data, and more on the way than fits; try again when some of it was read", &one->shown_peer);
  if (one->drained && one->helper >= 0) host->close_fd(one->helper);  // of a checkpoint before, while the computation is held
  long file = sys(SYS_memfd_create, pointer("cairn-drain"), 1 /* MFD_CLOEXEC */);
  if (file < 0) return host->fail(static_cast<int32_t>(file), "memfd_create", "no place for what is on the way on a connection");
  one->helper = host->hide_fd(static_cast<int32_t>(file));
  one->queue = nullptr;
  one->queue_end = &one->queue;
  one->drained = true;
  // Memory first: nothing may be taken out that there is no place for. As long as something comes, more may come; and a sender whose
  // data found no room tries again at growing intervals only, which nothing from here makes shorter.
  uint32_t next_try_ms = 0;
  for (uint32_t waited = 0; waited < quiet_ms + (next_try_ms < longest_try_ms ? next_try_ms : longest_try_ms);) {
    int32_t there = 0;
    sys(SYS_ioctl, one->fd, FIONREAD, pointer(&there));
    if (there == 0) {
      uint32_t now_next = 0;
      if (all_arrived(*one, &now_next)) {
        // What arrived between the two looks.
        sys(SYS_ioctl, one->fd, FIONREAD, pointer(&there));
        if (there == 0) return 0;
        continue;
      }
      if (waited == 0) next_try_ms = now_next;
      pause_a_moment();
      waited += 2;
      continue;
    }
    Message* message = add_message(one, there < static_cast<int32_t>(piece) ? static_cast<uint32_t>(there) : piece);
    if (message == nullptr) return host->fail(-ENOMEM, "socket", "no memory for what is on the way on a connection");
    long count = sys(SYS_recvfrom, one->fd, pointer(message->data), message->size, MSG_DONTWAIT, 0, 0);
    message->size = count < 0 ? 0 : static_cast<uint32_t>(count);
    for (uint32_t written = 0; written < message->size;) {
      long part = sys(SYS_write, one->helper, pointer(message->data + written), message->size - written);
      if (part < 0 && part != -EINTR) return host->fail(static_cast<int32_t>(part), "memfd", "no place for what is on the way on a connection");
      if (part > 0) written += static_cast<uint32_t>(part);
    }
    if (message->size > 0) waited = 0;
  }
  Text<256> text;
  text.add("what is on the way on a connection does not arrive: its sender, whose data found no room before, tries again in ")
      .add(int64_t{next_try_ms / 1000}).add(" s at the earliest; read from the connection, or try again");
  return host->fail(-ETIMEDOUT, "socket", text.text());
}

int32_t refill_one(Socket* one) {
  int32_t file = -1;
  int64_t real = 0;
  if (!held(one->peer_inode, &file) || file < 0 || host->get_name(CAIRN_NAMES_PROCESS, one->peer_process, &real) < 0) return 0;
  Text<64> path;
  path.add("/proc/").add(real).add("/fd/").add(int64_t{file});
  long fd = sys(SYS_openat, AT_FDCWD, pointer(path.text()), 0x80000 /* O_RDONLY | O_CLOEXEC */, 0);
  if (fd < 0) return host->fail(static_cast<int32_t>(fd), path.text(), "what was on the way on a connection cannot be sent again");
  static char buffer[64 * 1024];
  int32_t result = 0;
  long count = 0;
  while (result == 0 && (count = sys(SYS_read, fd, pointer(buffer), sizeof buffer)) > 0) result = send_whole(one->fd, buffer, static_cast<uint64_t>(count));
  sys(SYS_close, fd);
  set_late_options(*one);  // where a larger buffer was needed for a moment
  if (result == 0) result = static_cast<int32_t>(count);
  return result < 0 ? host->fail(result, "socket", "what was on the way on a connection cannot be sent again") : 0;
}

}  // namespace

int32_t settle_queues() {
  bool left = true;
  for (int32_t waited = 0; left && waited < patience_ms; waited += 2) {
    left = false;
    for (const Socket* one = sockets; one != nullptr; one = one->next) left = left || (has_connection(*one) && unsent(*one) > 0);
    if (left) pause_a_moment();
  }
  for (Socket* one = sockets; left && one != nullptr; one = one->next) {
    if (!has_connection(*one) || unsent(*one) <= 0) continue;
    if ((one->shutdown & 2) != 0) return refuse_for_now(*one, "more data on the way than fits, and closed for sending; try again when its peer has read", &one->shown_peer);
    one->refills = true;
    if (one->away) {
      if (int32_t error = tell_stuck(*one); error < 0) return error;
      continue;
    }
    tell_held(one->inode + stuck, 1);
  }
  return 0;
}

bool has_to_drain() {
  for (const Socket* one = sockets; one != nullptr; one = one->next) {
    int32_t mark = 0;
    // What the other host's end has said comes with a later phase.
    if (one->refills || (has_connection(*one) && (one->away || held(one->peer_inode + stuck, &mark)))) return true;
  }
  return false;
}

int32_t drain() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    int32_t mark = 0;
    if (!has_connection(*one) || one->away || !held(one->peer_inode + stuck, &mark)) continue;
    int32_t error = drain_one(one);
    if (one->helper >= 0) tell_held(one->inode, one->helper);
    if (error < 0) return error;
  }
  return drain_away();
}

int32_t refill() {
  int32_t result = 0;
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (!one->refills) continue;
    one->refills = false;
    if (int32_t error = one->away ? refill_away(*one) : refill_one(one); error < 0) result = error;
    if (one->away) set_late_options(*one);
  }
  return result;
}

// An abort comes at any moment, to each process by itself: a sender waits until its receiver says that it took nothing, or has
// taken all.
void abort_drain() {
  abort_away();
  for (const Socket* one = sockets; one != nullptr; one = one->next) {
    if (has_connection(*one) && !one->away && !one->drained) tell_held(one->inode, nothing_taken);
  }
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    int32_t file = 0;
    for (int32_t waited = 0; one->refills && !held(one->peer_inode, &file) && waited < 1000; ++waited) pause_a_moment();
  }
  (void)refill();
}

// After an abort the files stay for a while: a peer may not have come to its refill yet.
void end_drain() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere || one->away || !has_connection(*one)) continue;
    forget_held(one->inode);
    forget_held(one->inode + stuck);
    if (one->drained && one->helper >= 0) host->close_fd(one->helper);
    if (one->drained) one->helper = -1;
  }
}

}  // namespace cairn::sockets
