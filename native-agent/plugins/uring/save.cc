// A checkpoint's look at an io_uring instance: whether anything is in progress or registered, and the content of its queues. What the
// kernel knows is in /proc/PID/fdinfo; all that it was given has come back when it has taken as many entries as it has told completions.
// [quiesced] Nothing is taken from the queues. Test: test/probes/events/rings.c, test/probes/refusals.test.ts
#include <sys/mman.h>
#include <time.h>

#include "common/lines.h"
#include "uring/rings.h"

namespace cairn::uring {
namespace {

struct State {
  bool known;  // the kernel has told its counters
  uint32_t head, taken, tail, told;
  int64_t thread, files, buffers;
  uint32_t polls, overflown;
};

int64_t number_behind(const char* text) {
  while (*text == ' ' || *text == '\t') ++text;
  int64_t value = 0;
  (void)plugin::read_number(&text, 10, &value);
  return value;
}

int32_t read_once(int32_t fd, State* state) {
  *state = {};
  state->thread = -1;
  Text<64> path;
  path.add("/proc/thread-self/fdinfo/").add(int64_t{fd});
  plugin::Lines lines(host, path.text());
  if (lines.error() != 0) return lines.error();
  uint32_t* list = nullptr;
  while (const char* line = lines.next()) {
    const char* rest;
    if (line[0] == ' ') {
      if (list != nullptr) ++*list;
      continue;
    }
    list = nullptr;
    if (plugin::begins(line, "SqHead:", &rest)) state->head = static_cast<uint32_t>(number_behind(rest));
    else if (plugin::begins(line, "SqTail:", &rest)) state->tail = static_cast<uint32_t>(number_behind(rest));
    else if (plugin::begins(line, "CachedSqHead:", &rest)) state->taken = static_cast<uint32_t>(number_behind(rest)), state->known = true;
    else if (plugin::begins(line, "CachedCqTail:", &rest)) state->told = static_cast<uint32_t>(number_behind(rest));
    else if (plugin::begins(line, "SqThread:", &rest)) state->thread = number_behind(rest);
    else if (plugin::begins(line, "UserFiles:", &rest)) state->files = number_behind(rest);
    else if (plugin::begins(line, "UserBufs:", &rest)) state->buffers = number_behind(rest);
    else if (plugin::begins(line, "PollList:", &rest)) list = &state->polls;
    else if (plugin::begins(line, "CqOverflowList:", &rest)) list = &state->overflown;
  }
  return 0;
}

/// The kernel leaves nearly all out while anybody else looks, as another process that has the same instance may do at this moment.
int32_t read_state(int32_t fd, State* state) {
  int32_t error = read_once(fd, state);
  for (int32_t looks = 1; error == 0 && !state->known && looks < 100; ++looks) {
    struct timespec pause = {0, 1000000};
    sys(SYS_nanosleep, reinterpret_cast<intptr_t>(&pause), 0);
    error = read_once(fd, state);
  }
  return error;
}

int32_t refuse(const Ring& ring, const char* what, int32_t error = -ENOTSUP) {
  Text<512> text;
  text.add(what).add(". The computation runs on");
  return fail(error, ring, text.text());
}

/// Why it cannot be saved; NULL: it can.
const char* obstacle(const Ring& ring, const State& state) {
  const SetUp& set_up = ring.set_up;
  uint32_t flags = set_up.parameters.flags;
  if ((flags & IORING_SETUP_SQPOLL) != 0 || state.thread >= 0) return "a thread of the kernel takes what is submitted (IORING_SETUP_SQPOLL), which cannot be saved; set it up without, or close it before the checkpoint";
  if ((flags & IORING_SETUP_NO_MMAP) != 0) return "its queues are in the program's own memory (IORING_SETUP_NO_MMAP), which cannot be brought back; close it before the checkpoint";
  if (!state.known) return "this kernel does not tell its state (Linux 5.18), so that it cannot be saved; close it before the checkpoint";
  if (state.files != 0) return "files are registered with it, which cannot be brought back; unregister them (IORING_UNREGISTER_FILES) before the checkpoint";
  if (state.buffers != 0) return "buffers are registered with it, which cannot be brought back; unregister them (IORING_UNREGISTER_BUFFERS) before the checkpoint";
  if (set_up.kept > 0) return "a buffer ring, a personality or its own number is registered with it, which cannot be brought back; unregister that before the checkpoint";
  if (set_up.lasting != nullptr) return set_up.lasting;
  return nullptr;
}

/// What the application will soon have changed.
const char* obstacle_for_now(const State& state) {
  if (state.polls != 0) return "a request waits in it for an event, which cannot be saved; try again when it has completed, or cancel it";
  if (state.overflown != 0) return "its completion queue has overflown; try again when the program has read it";
  if (state.taken != state.told) return "a request is in progress in it, or has left no completion, so that it cannot be known; try again when it has completed";
  return nullptr;
}

char* copy_part(const Ring& ring, uint64_t offset, uint64_t size) {
  int64_t place = sys(SYS_mmap, 0, size, PROT_READ, MAP_SHARED | MAP_POPULATE, ring.fd, offset);
  if (place < 0 && place > -4096) return nullptr;
  auto* copy = static_cast<char*>(pool.take(host, size));
  if (copy != nullptr) copy_bytes(copy, reinterpret_cast<const char*>(place), size);
  sys(SYS_munmap, place, size);
  return copy;
}

}  // namespace

int32_t save_ring(cairn_descriptor* offer) {
  if (!plugin::same(offer->path, "anon_inode:[io_uring]")) return 0;
  if (ring_count == max_rings) return host->fail(-EMFILE, "io_uring", "there are more than 1024 io_uring instances");
  Ring* ring = &rings[ring_count];
  *ring = {};
  ring->device = offer->device;
  ring->inode = offer->inode;
  ring->fd = offer->fd;
  ring->elsewhere = offer->elsewhere != 0;
  ring->handle = -1;
  if (!find_set_up(offer->inode, &ring->set_up)) {
    return refuse(*ring, "it was set up by a system call of the program's own, which Cairn did not see, so that it cannot be brought back; close it before the checkpoint");
  }
  State state;
  if (int32_t error = read_state(ring->fd, &state)) return fail(error, *ring, "its state cannot be read from /proc");
  if (const char* what = obstacle(*ring, state)) return refuse(*ring, what);
  if (const char* what = obstacle_for_now(state)) return refuse(*ring, what, -EAGAIN);
  struct stat64 status = {};
  if (ring->set_up.events >= 0 && sys(SYS_fstat, ring->set_up.events, pointer(&status)) < 0) {
    return refuse(*ring, "the eventfd that is registered with it was closed, so that it cannot be brought back; unregister it (IORING_UNREGISTER_EVENTFD) before the checkpoint");
  }
  ring->head = state.head;
  ring->tail = state.tail;
  ring->completions = state.told;
  if (!ring->elsewhere) {
    ring->queues = copy_part(*ring, IORING_OFF_SQ_RING, queues_size(ring->set_up.parameters));
    ring->entries = copy_part(*ring, IORING_OFF_SQES, entries_size(ring->set_up.parameters));
    if (ring->queues == nullptr || ring->entries == nullptr) return fail(-ENOMEM, *ring, "there is no memory for its queues");
  }
  offer->token = ring_count++;
  return 1;
}

int32_t claim_mapping(cairn_mapping* mapping) {
  if (!plugin::same(mapping->path, "anon_inode:[io_uring]")) return 0;
  Ring* ring = find_ring(mapping->device, mapping->inode);
  if (ring == nullptr) {
    return host->fail(-ENOTSUP, "io_uring",
                      "an io_uring instance is mapped whose descriptor was closed, which cannot be brought back; unmap it before the checkpoint. The computation runs on");
  }
  mapping->token = static_cast<uint64_t>(ring - rings);
  return 1;
}

}  // namespace cairn::uring
