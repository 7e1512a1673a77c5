// Which process saves a pipe, and what is in it. The content is looked at without being taken: tee(2) gives a pipe of our own
// references to the same pages. Who has an end for reading is preferred, so that no end has to be opened for it: opening and
// closing one can be seen by whoever polls the other. Context: quiesced.
#include <poll.h>
#include <sys/ioctl.h>

#include "pipe/pipes.h"

namespace cairn::pipe {
namespace {

constexpr uint32_t savers = plugin::name_space("pipe.saver");
constexpr long nonblock = 2;  // SPLICE_F_NONBLOCK
plugin::Pool paths_pool;
plugin::Pool contents;

int32_t fail(int32_t error, const Pipe& pipe, const char* what) {
  Text<4400> text;
  text.add(what).add(" (descriptor ").add(pipe.fd).add("); the computation runs on");
  return host->fail(error, pipe.named ? pipe.path : "pipe", text.text());
}

int32_t waiting(long fd) {
  int32_t bytes = 0;
  return sys(SYS_ioctl, fd, FIONREAD, pointer(&bytes)) < 0 ? 0 : bytes;
}

/// Of a FIFO's reader: its last writer has gone. Before a first one comes the kernel reports no hang-up, though a read ends at once.
bool hung_up(int32_t fd) {
  struct pollfd end = {fd, 0, 0};
  struct timespec at_once = {};
  return sys(SYS_ppoll, pointer(&end), 1, pointer(&at_once), 0, 8) == 1 && (end.revents & POLLHUP) != 0;
}

Pipe* find(const cairn_descriptor& offer) {
  for (uint32_t i = 0; i < table.count; ++i) {
    if (table.pipes[i].device == offer.device && table.pipes[i].inode == offer.inode) return &table.pipes[i];
  }
  return nullptr;
}

int32_t elect(Pipe* pipe) {
  int32_t result = plugin::elected(host, savers, key_of(*pipe));
  if (result < 0) return fail(result, *pipe, "the processes cannot agree on who saves a pipe");
  pipe->made_here = result == 1;
  return 0;
}

/// A pipe of our own, for looking.
struct Copy {
  int32_t ends[2] = {-1, -1};
  long open(uint32_t capacity) {
    long error = sys(SYS_pipe2, pointer(ends), O_CLOEXEC | O_NONBLOCK);
    return error < 0 ? error : sys(SYS_fcntl, ends[1], F_SETPIPE_SZ, capacity);
  }
  long look(long from, long length) { return sys(SYS_tee, from, ends[1], length, nonblock); }
  long read(void* to, long length) { return sys(SYS_read, ends[0], pointer(to), length); }
  void drain() {
    char rest[64];
    while (read(rest, sizeof rest) > 0) {}
  }
  ~Copy() {
    for (int32_t end : ends) {
      if (end >= 0) sys(SYS_close, end);
    }
  }
};

/// Whether the first that is in the pipe is a packet: of one the kernel throws away what a read leaves over.
bool begins_with_packet(Copy* copy, long reader, const Pipe& pipe) {
  char bytes[2];
  if (copy->look(reader, 2) < 2) {
    copy->drain();
    return pipe.packet_writer;
  }
  copy->read(bytes, 1);
  bool packet = waiting(copy->ends[0]) == 0;
  copy->drain();
  if (packet) return true;
  // A packet of one byte, with another behind it?
  copy->look(reader, 2);
  packet = copy->read(bytes, 2) == 1;
  copy->drain();
  return packet;
}

int32_t save_content(Pipe* pipe, long reader, uint32_t size) {
  Copy copy;
  long result = copy.open(pipe->capacity);
  if (result < 0) return fail(static_cast<int32_t>(result), *pipe, "no pipe as large as one of the application can be made to look at its content (/proc/sys/fs/pipe-user-pages-soft)");
  pipe->packets = begins_with_packet(&copy, reader, *pipe);
  uint32_t most = pipe->packets ? pipe->capacity / 4096 + 1 : 1;
  auto* content = static_cast<char*>(contents.take(host, size));
  pipe->lengths = static_cast<uint32_t*>(contents.take(host, most * sizeof(uint32_t)));
  if (content == nullptr || pipe->lengths == nullptr) return fail(-ENOMEM, *pipe, "no memory for the content of a pipe");
  result = copy.look(reader, size);
  if (result != static_cast<long>(size)) return fail(result < 0 ? static_cast<int32_t>(result) : -EIO, *pipe, "the content of a pipe cannot be read");
  uint32_t done = 0;
  while (done < size) {
    long count = copy.read(content + done, size - done);
    if (count <= 0) return fail(count < 0 ? static_cast<int32_t>(count) : -EIO, *pipe, "the content of a pipe cannot be read");
    if (pipe->packets && pipe->records < most) pipe->lengths[pipe->records++] = static_cast<uint32_t>(count);
    done += static_cast<uint32_t>(count);
  }
  if (!pipe->packets) pipe->lengths[pipe->records++] = size;
  pipe->content = content;
  return 0;
}

int32_t save(Pipe* pipe) {
  long capacity = sys(SYS_fcntl, pipe->fd, F_GETPIPE_SZ);
  if (capacity < 0) return fail(static_cast<int32_t>(capacity), *pipe, "the size of a pipe cannot be read");
  pipe->capacity = static_cast<uint32_t>(capacity);
  pipe->records = 0;
  pipe->packets = false;
  int32_t size = waiting(pipe->fd);
  if (size == 0) return 0;
  if (pipe->reader >= 0) return save_content(pipe, pipe->reader, static_cast<uint32_t>(size));
  // Nobody can read it. Only of a FIFO somebody still may, who opens its name.
  if (!pipe->named) return 0;
  Text<64> link;
  link.add("/proc/thread-self/fd/").add(pipe->fd);
  long reader = sys(SYS_openat, AT_FDCWD, pointer(link.text()), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (reader < 0) return fail(static_cast<int32_t>(reader), *pipe, "a named pipe with content cannot be opened for reading");
  int32_t error = save_content(pipe, reader, static_cast<uint32_t>(size));
  sys(SYS_close, reader);
  return error;
}

}  // namespace

void forget_pipes() {
  table.count = 0;
  table.folder[0] = 0;
  paths_pool.reset();
  // All processes do that before one of them is stopped.
  plugin::clear_names(host, savers);
}

int32_t claim_end(cairn_descriptor* offer) {
  if (!S_ISFIFO(offer->mode) || (offer->status_flags & O_PATH) != 0) return 0;
  Pipe* pipe = find(*offer);
  if (pipe == nullptr) {
    if (table.count == max_pipes) return host->fail(-EMFILE, "pipes", "more than 4096 pipes in one process");
    pipe = &table.pipes[table.count];
    *pipe = {};
    pipe->device = offer->device;
    pipe->inode = offer->inode;
    pipe->mode = offer->mode;
    pipe->fd = offer->fd;
    pipe->reader = pipe->handles[0] = pipe->handles[1] = -1;
    pipe->named = offer->path[0] == '/';
    pipe->deleted = offer->deleted != 0;
    char virtual_path[4096];
    if (pipe->named) {
      bool translated = paths()->to_virtual(offer->path, virtual_path, sizeof virtual_path) >= 0;
      pipe->path = paths_pool.copy(host, translated ? virtual_path : offer->path);
      if (pipe->path == nullptr) return host->fail(-ENOMEM, offer->path, "no memory for the paths of named pipes");
    }
    ++table.count;
  }
  if ((offer->status_flags & O_DIRECT) != 0) pipe->packet_writer = true;
  offer->token = static_cast<uint64_t>(pipe - table.pipes);
  if ((offer->status_flags & O_ACCMODE) == O_WRONLY) return 1;
  if (pipe->named && hung_up(offer->fd)) offer->token |= hang_up;
  if (pipe->reader >= 0) return 1;
  pipe->reader = offer->fd;
  int32_t error = elect(pipe);
  return error < 0 ? error : 1;
}

int32_t save_contents() {
  contents.reset();
  char folder[4096];
  if (sys(SYS_getcwd, pointer(folder), sizeof folder) > 0) (void)paths()->to_virtual(folder, table.folder, sizeof table.folder);
  for (uint32_t i = 0; i < table.count; ++i) {
    Pipe* pipe = &table.pipes[i];
    // Without a reader anywhere it is one of the writers.
    if (pipe->reader < 0) {
      if (int32_t error = elect(pipe)) return error;
    }
    if (!pipe->made_here) continue;
    if (int32_t error = save(pipe)) return error;
  }
  return 0;
}

}  // namespace cairn::pipe
