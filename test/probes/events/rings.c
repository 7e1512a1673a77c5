// io_uring with nothing in progress: positions of both queues, entries that are written but not submitted, completions that are not
// read yet, an eventfd that is told; with and without an array of indices, and shared with a child.
// sabotage: call close @ring
// attached: which Cairn did not see
#include "../probe.h"
#include <linux/io_uring.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY (1U << 16)
#endif

struct ring {
  int fd;
  struct io_uring_params params;
  char *queues;
  struct io_uring_sqe *entries;
};

static unsigned *word(struct ring *ring, unsigned offset) { return (unsigned *)(ring->queues + offset); }

static int set_up(struct ring *ring, unsigned entries, unsigned flags) {
  memset(ring, 0, sizeof *ring);
  ring->params.flags = flags;
  ring->fd = (int)syscall(SYS_io_uring_setup, entries, &ring->params);
  if (ring->fd < 0) return -1;
  size_t size = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe) + entries * 4;
  ring->queues = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
  ring->entries = (struct io_uring_sqe *)mmap(NULL, entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
  CHECK(ring->queues != MAP_FAILED && ring->entries != MAP_FAILED, "mmap");
  return 0;
}

// Written, not submitted.
static void prepare(struct ring *ring, int operation, int fd, const void *data, unsigned length, uint64_t name) {
  unsigned tail = *word(ring, ring->params.sq_off.tail), place = tail & (ring->params.sq_entries - 1);
  // Behind an array of indices the entries may lie in any order.
  unsigned index = ring->params.flags & IORING_SETUP_NO_SQARRAY ? place : ring->params.sq_entries - 1 - place;
  struct io_uring_sqe *entry = &ring->entries[index];
  memset(entry, 0, sizeof *entry);
  entry->opcode = (unsigned char)operation;
  entry->fd = fd;
  entry->addr = (uintptr_t)data;
  entry->len = length;
  entry->user_data = name;
  if (!(ring->params.flags & IORING_SETUP_NO_SQARRAY)) word(ring, ring->params.sq_off.array)[place] = index;
  __atomic_store_n(word(ring, ring->params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
}

static void submit(struct ring *ring, unsigned count) {
  CHECK(syscall(SYS_io_uring_enter, ring->fd, count, count, IORING_ENTER_GETEVENTS, NULL, 0) == (long)count, "io_uring_enter");
}

static int complete(struct ring *ring, uint64_t *name) {
  unsigned head = *word(ring, ring->params.cq_off.head);
  CHECK(head != __atomic_load_n(word(ring, ring->params.cq_off.tail), __ATOMIC_ACQUIRE), "no completion is there");
  struct io_uring_cqe *entry = (struct io_uring_cqe *)(ring->queues + ring->params.cq_off.cqes) + (head & (ring->params.cq_entries - 1));
  *name = entry->user_data;
  int result = entry->res;
  __atomic_store_n(word(ring, ring->params.cq_off.head), head + 1, __ATOMIC_RELEASE);
  return result;
}

static void use(struct ring *ring, unsigned times) {
  for (unsigned i = 0; i < times; i++) {
    uint64_t name;
    prepare(ring, IORING_OP_NOP, -1, NULL, 0, i);
    submit(ring, 1);
    CHECK(complete(ring, &name) == 0 && name == i, "request %u", i);
  }
}

static void check(struct ring *ring, int pipe_fd, unsigned used, const char *what) {
  uint64_t name = 0;
  CHECK(*word(ring, ring->params.sq_off.head) == used + 2 && *word(ring, ring->params.sq_off.tail) == used + 3, "%s: positions", what);
  CHECK(complete(ring, &name) == 0 && name == 100 && complete(ring, &name) == 0 && name == 101, "%s: completions", what);
  submit(ring, 1);
  CHECK(complete(ring, &name) == 4 && name == 102, "%s: what was prepared before", what);
  char text[8] = "";
  CHECK(read(pipe_fd, text, 8) == 4 && memcmp(text, "data", 4) == 0, "%s: the pipe", what);
  use(ring, 300);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static struct ring plain, bare, shared;
  if (set_up(&plain, 8, 0)) SKIP("io_uring: %s", strerror(errno));
  int with_bare = set_up(&bare, 256, IORING_SETUP_NO_SQARRAY) == 0;
  CHECK(set_up(&shared, 4, IORING_SETUP_CQSIZE) == -1, "a queue of no entries");
  CHECK(set_up(&shared, 4, 0) == 0, "io_uring_setup");
  probe_note("ring", (uint64_t)plain.fd);
  int ends[2], events = eventfd(0, EFD_NONBLOCK);
  CHECK(pipe(ends) == 0 && syscall(SYS_io_uring_register, plain.fd, IORING_REGISTER_EVENTFD, &events, 1) == 0, "IORING_REGISTER_EVENTFD");
  struct ring *both[] = {&plain, &bare};
  const unsigned used[] = {1003, 70001};
  for (int i = 0; i < 1 + with_bare; i++) {
    use(both[i], used[i]);
    prepare(both[i], IORING_OP_NOP, -1, NULL, 0, 100);
    prepare(both[i], IORING_OP_NOP, -1, NULL, 0, 101);
    submit(both[i], 2);
    prepare(both[i], IORING_OP_WRITE, ends[1], "data", 4, 102);
  }
  int answer[2], go[2];
  CHECK(pipe(answer) == 0 && pipe(go) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    close(go[1]);
    char byte;
    _exit(read(go[0], &byte, 1) == 1 && (use(&shared, 10), write(answer[1], "x", 1)) == 1 ? 5 : 1);
  }
  uint64_t count;
  CHECK(read(events, &count, sizeof count) == sizeof count && count >= 1003, "the eventfd counts %llu", (unsigned long long)count);
  probe_hold();
  CHECK(read(events, &count, sizeof count) == -1 && errno == EAGAIN, "the restart is told to the eventfd");
  check(&plain, ends[0], 1003, "with an array");
  CHECK(read(events, &count, sizeof count) == sizeof count && count > 300, "the eventfd is told no more");
  if (with_bare) check(&bare, ends[0], 70001, "without an array");
  char byte;
  CHECK(write(go[1], "g", 1) == 1 && read(answer[0], &byte, 1) == 1, "the child");
  use(&shared, 3);
  CHECK(*word(&shared, shared.params.sq_off.head) == 13, "the child's requests are not seen here");
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5, "the child gave %x", (unsigned)status);
  return probe_ok();
}
