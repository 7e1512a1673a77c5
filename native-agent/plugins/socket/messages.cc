// What waits in sockets of messages. The kernel marks a message of no bytes when it is looked at, and from then on passes over it for who
// looks with an offset, unless it is the first in the queue and there is no offset. So what a look has found where such messages are is kept,
// and the next look in the same life of the socket finds their places again by the messages around them.
// [quiesced] Test: test/probes/sockets/empty_messages.c
#include "common/lines.h"
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

struct Seen {
  uint64_t content;  // a hash of all that is known of it
  Address from;
  int32_t author;    // real
  bool empty;
};

/// A queue at the last look. In the image, since an application that goes on may be restarted from a later one.
struct Queue {
  Queue* next;
  uint64_t cookie;      // 0: free
  uint64_t memory;      // of all that waits, as the kernel counts it; 0: it does not tell
  uint32_t round;
  uint32_t count;
  uint32_t capacity;
  Seen seen[];
};
Queue* queues = nullptr;
uint32_t round = 0;

uint64_t mixed(uint64_t hash, const char* data, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(data[i])) * 0x100000001b3u;
  return (hash ^ size) * 0x9e3779b97f4a7c15u;
}
uint64_t content_of(const Message& message) {
  return mixed(mixed(0xcbf29ce484222325u, message.data, message.size), message.from.bytes, message.from.size);
}

uint64_t datagrams_memory(const Socket& one) {
  plugin::Lines lines(host, one.family == AF_INET6 ? "/proc/thread-self/net/udp6" : "/proc/thread-self/net/udp");
  while (const char* at = lines.next()) {
    // sl local remote state tx:rx timer:when retransmissions uid timeout inode
    const char* fields[10] = {};
    uint32_t count = 0;
    while (count < 10) {
      while (*at == ' ') ++at;
      if (*at == 0) break;
      fields[count++] = at;
      while (*at != ' ' && *at != 0) ++at;
    }
    int64_t inode = 0;
    uint64_t waiting = 0;
    if (count < 10 || !plugin::read_number(&fields[9], 10, &inode) || static_cast<uint64_t>(inode) != one.inode) continue;
    const char* digit = fields[4];
    while (*digit != ':' && *digit != ' ') ++digit;
    for (++digit; (*digit >= '0' && *digit <= '9') || (*digit >= 'A' && *digit <= 'F'); ++digit) {
      waiting = waiting * 16 + static_cast<uint64_t>(*digit <= '9' ? *digit - '0' : *digit - 'A' + 10);
    }
    return waiting;
  }
  return 0;
}

/// Of what waits: the same as at an earlier look, if nothing was read since and nothing came.
uint64_t memory_of(const Socket& one) {
  if (!is_unix(one)) return datagrams_memory(one);
  // It is counted where it was sent.
  UnixState state, peer;
  bool only = unix_state(one.inode, &state) == 0 && state.peer != 0 && unix_state(state.peer, &peer) == 0 && peer.peer == static_cast<uint32_t>(one.inode);
  return only ? peer.unread : 0;
}

Queue* known_queue(uint64_t cookie) {
  for (Queue* queue = queues; queue != nullptr; queue = queue->next) {
    if (cookie != 0 && queue->cookie == cookie) return queue;
  }
  return nullptr;
}

Queue* free_queue(uint32_t count) {
  for (Queue* queue = queues; queue != nullptr; queue = queue->next) {
    // The socket of a record that the last checkpoints did not look at is no more.
    if (queue->capacity >= count && (queue->cookie == 0 || round - queue->round > 2)) return queue;
  }
  uint32_t capacity = (count + count / 2 + 16) & ~1u;
  auto* queue = static_cast<Queue*>(host->allocate((sizeof(Queue) + capacity * sizeof(Seen) + 15) & ~uint64_t{15}));
  if (queue == nullptr) return nullptr;
  queue->next = queues;
  queue->capacity = capacity;
  queues = queue;
  return queue;
}

int32_t remember(const Socket& one, const Message* first) {
  uint64_t cookie = cookie_of(one.fd);
  uint32_t count = 0;
  bool any = false;
  for (const Message* message = first; message != nullptr; message = message->next, ++count) any = any || message->size == 0;
  Queue* queue = known_queue(cookie);
  if (queue != nullptr && (!any || queue->capacity < count)) {
    queue->cookie = 0;
    queue = nullptr;
  }
  if (!any || cookie == 0) return 0;
  if (queue == nullptr) queue = free_queue(count);
  if (queue == nullptr) return -ENOMEM;
  queue->cookie = cookie;
  queue->memory = memory_of(one);
  queue->round = round;
  queue->count = 0;
  for (const Message* message = first; message != nullptr; message = message->next) {
    queue->seen[queue->count++] = {content_of(*message), message->from, message->author, message->size == 0};
  }
  return 0;
}

/// What a look has found, without the empty messages that were looked at before.
struct Found {
  const uint64_t* contents;
  uint32_t count;
  bool begins_empty;  // by the look without an offset
  bool first_empty;   // the first that was found
  bool nothing_new;   // nobody can send any more
  bool changed;       // since the last look, by the memory that waits
};

/// Can the queue be that of before but the first `read` messages, and what came since? *old: how many of those that were found are of before.
bool fits(const Queue& queue, uint32_t read, const Found& found, uint32_t* old) {
  *old = 0;
  for (uint32_t i = read; i < queue.count; ++i) {
    if (queue.seen[i].empty) continue;
    if (*old == found.count || found.contents[*old] != queue.seen[i].content) return false;
    ++*old;
  }
  if (found.nothing_new && *old < found.count) return false;
  if (found.changed && read == 0 && *old == found.count) return false;
  return found.begins_empty == (read < queue.count ? queue.seen[read].empty : found.first_empty);
}

/// The index-th message, if that is so; 0: there are not so many.
uint64_t content_at(const Queue& queue, uint32_t read, uint32_t old, const Found& found, uint32_t index) {
  uint32_t before = queue.count - read;
  if (index < before) return queue.seen[read + index].content;
  return index - before < found.count - old ? found.contents[old + index - before] : 0;
}

bool same(const Queue& queue, uint32_t one, uint32_t other, const Found& found) {
  uint32_t old_one, old_other;
  (void)fits(queue, one, found, &old_one);
  (void)fits(queue, other, found, &old_other);
  for (uint32_t index = 0;; ++index) {
    uint64_t content = content_at(queue, one, old_one, found, index);
    if (content != content_at(queue, other, old_other, found, index)) return false;
    if (content == 0) return true;
  }
}

/// How many messages were read since the last look; -ENOENT: it knows nothing of this queue; -ESTALE: that cannot be told.
int64_t read_since(const Queue& queue, const Found& found, bool unchanged) {
  uint32_t old;
  if (unchanged && fits(queue, 0, found, &old) && old == found.count) return 0;
  int64_t first = -ENOENT;
  for (uint32_t read = 0; read <= queue.count; ++read) {
    if (!fits(queue, read, found, &old)) continue;
    // Some are the same as at the last look: that all of those were read, and equal ones came, is not likely.
    if (read == queue.count && first >= 0 && found.count > 0) break;
    if (first < 0) first = read;
    else if (!same(queue, static_cast<uint32_t>(first), read, found)) return -ESTALE;
  }
  return first;
}

Message* empty_message(const Address& from, int32_t author, Message* next) {
  auto* message = static_cast<Message*>(take_memory(sizeof(Message)));
  if (message == nullptr) return nullptr;
  message->next = next;
  message->from = from;
  message->author = author;
  return message;
}

/// Puts the messages of no bytes that were passed over in their places.
int32_t complete(Socket* one, Message** begin, bool begins_empty, const Look& head) {
  uint32_t count = 0;
  for (const Message* message = *begin; message != nullptr; message = message->next) ++count;
  auto* contents = static_cast<uint64_t*>(take_memory((count + 1) * sizeof(uint64_t)));
  if (contents == nullptr) return -ENOMEM;
  count = 0;
  for (const Message* message = *begin; message != nullptr; message = message->next) contents[count++] = content_of(*message);
  const Queue* queue = known_queue(cookie_of(one->fd));
  uint64_t memory = queue != nullptr && queue->memory != 0 ? memory_of(*one) : 0;
  Found found = {contents, count, begins_empty, *begin != nullptr && (*begin)->size == 0, one->role == Role::orphaned, memory != 0 && memory != queue->memory};
  int64_t read = queue == nullptr ? -ENOENT : read_since(*queue, found, memory != 0 && memory == queue->memory);
  if (read == -ESTALE) return -ESTALE;
  Message** place = begin;
  for (uint64_t i = read < 0 ? 0 : static_cast<uint64_t>(read); read >= 0 && i < queue->count; ++i) {
    if (queue->seen[i].empty && (*place = empty_message(queue->seen[i].from, queue->seen[i].author, *place)) == nullptr) return -ENOMEM;
    place = &(*place)->next;
  }
  // The application itself has looked at the first.
  if (read < 0 && begins_empty && !found.first_empty && (*begin = empty_message(head.from, head.author, *begin)) == nullptr) return -ENOMEM;
  for (place = begin; *place != nullptr; place = &(*place)->next) {
  }
  one->queue_end = place;
  return 0;
}

/// Packets: the end of what is received is a result of 0, too. Only what is a message has a sender, if that is asked for.
class Ends {
 public:
  explicit Ends(const Socket& one) : one_(one), possible_(one.type == SOCK_SEQPACKET && (one.shutdown & 1) != 0) {
    uint32_t size = sizeof before_;
    int32_t yes = 1;
    if (!possible_) return;
    sys(SYS_getsockopt, one.fd, SOL_SOCKET, SO_PASSCRED, pointer(&before_), pointer(&size));
    sys(SYS_setsockopt, one.fd, SOL_SOCKET, SO_PASSCRED, pointer(&yes), sizeof yes);
  }
  ~Ends() {
    if (possible_) sys(SYS_setsockopt, one_.fd, SOL_SOCKET, SO_PASSCRED, pointer(&before_), sizeof before_);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  [[nodiscard]] bool is_end(long count, const Look& look) const { return possible_ && count == 0 && !look.with_author; }
  /// What the application is told of the sender.
  [[nodiscard]] int32_t author(const Look& look) const { return possible_ && before_ == 0 ? 0 : look.author; }

 private:
  const Socket& one_;
  bool possible_;
  int32_t before_ = 0;
};

}  // namespace

int32_t peek_messages(Socket* one) {
  // For UDP the offset moves by what MSG_TRUNC would tell, so that each is read in one go; none is longer than this.
  static char datagram[65536];
  static Look look;
  Ends ends(*one);
  Message** begin = one->queue_end;
  for (uint64_t offset = 0;;) {
    iovec part = {datagram, sizeof datagram};
    long count = look_into(one->fd, &part, 1, MSG_TRUNC, &look);
    if (count == -EAGAIN || ends.is_end(count, look)) break;
    if (count < 0) return static_cast<int32_t>(count);
    Message* message = add_message(one, static_cast<uint32_t>(count));
    if (message == nullptr) return -ENOMEM;
    if (message->size <= sizeof datagram) {
      copy_bytes(message->data, datagram, message->size);
    } else {
      close_passed(look);
      part = {message->data, message->size};
      look_from(*one, offset);
      if (look_into(one->fd, &part, 1, 0, &look) != count) return -EIO;
    }
    offset += static_cast<uint64_t>(count);
    message->from = look.from;
    message->author = ends.author(look);
    if (int32_t error = note_passed(message, look)) return error;
  }
  iovec part = {datagram, sizeof datagram};
  look_from(*one, ~uint64_t{0});
  long count = look_into(one->fd, &part, 1, MSG_TRUNC, &look);
  look_from(*one, 0);
  if (count >= 0) close_passed(look);
  look.author = ends.author(look);
  if (int32_t error = complete(one, begin, count == 0 && !ends.is_end(count, look), look)) return error;
  return remember(*one, *begin);
}

void begin_looks() { ++round; }

void forget_looks() {
  for (Queue* queue = queues; queue != nullptr; queue = queue->next) queue->cookie = 0;
}

}  // namespace cairn::sockets
