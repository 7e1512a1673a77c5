// The names of queues: a restart gives a queue its own name if nobody has it, else one beside it, so that what another run uses is never
// touched. All processes know by the shared names. [any] Test: test/probes/posix/queues.c
#include "mqueue/queues.h"

namespace cairn::mqueue {
namespace {

// Name -> 0: itself; else what the name beside it ends with.
constexpr uint32_t places = plugin::name_space("mqueue.place");
// What tells one restart from another.
constexpr uint32_t restarts = plugin::name_space("mqueue.restart");

int64_t hash_of(const char* text) {
  uint64_t hash = 14695981039346656037u;
  for (; *text != 0; ++text) hash = (hash ^ static_cast<uint8_t>(*text)) * 1099511628211u;
  return static_cast<int64_t>(hash >> 1);
}

Text<300> beside(const char* name, int64_t place) {
  Text<300> text;
  text.add(name);
  if (place > 0) text.add(".cairn-").add(place);
  return text;
}

long create(const char* name, const Queue& queue) {
  struct mq_attr attributes = queue.attributes;
  return sys(SYS_mq_open, pointer(name + 1), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, pointer(&attributes));
}

}  // namespace

Text<300> real_name(const char* name) {
  int64_t place = 0;
  if (host != nullptr) host->get_name(places, hash_of(name), &place);
  return beside(name, place);
}

Text<300> made_name(const Queue& queue) {
  if (!queue.deleted) return real_name(queue.name);
  int64_t restart = host->real_pid();
  if (host->claim_name(restarts, 0, restart, &restart) == -ENOENT) restart = host->real_pid();
  Text<300> text;
  text.add("/cairn-unlinked-").add(restart).add("-").add(static_cast<int64_t>(queue.inode));
  return text;
}

long make_name(const Queue& queue) {
  if (queue.deleted) return create(made_name(queue).text(), queue);
  long fd = create(queue.name, queue);
  if (fd != -EEXIST) return fd;
  int64_t place = host->real_pid();
  fd = create(beside(queue.name, place).text(), queue);
  if (fd >= 0) host->set_name(places, hash_of(queue.name), place);
  return fd;
}

const char* virtual_name(const char* shown) {
  Text<300> name;
  name.add(shown);
  const char* copy = pool.copy(host, name.text());
  for (char* end = const_cast<char*>(copy); end != nullptr && *end != 0; ++end) {
    const char* rest;
    int64_t number = 0, place = 0;
    if (!plugin::begins(end, ".cairn-", &rest) || !plugin::read_number(&rest, 10, &number) || *rest != 0) continue;
    *end = 0;
    if (host->get_name(places, hash_of(copy), &place) == 0 && place == number) break;
    *end = '.';
  }
  return copy;
}

}  // namespace cairn::mqueue
