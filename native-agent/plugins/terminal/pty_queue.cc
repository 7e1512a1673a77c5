// What lies in a pseudo-terminal: taken out, and put back. The kernel lets nobody look, so a checkpoint reads both queues and fills
// them again, as a restart fills those of a new terminal. The line discipline is in the way of both: for the time being the terminal
// gets modes under which bytes come through as they are.
//
// Bytes that are written to the master's end are worked on by the kernel a little later, under the modes of that moment. So modes
// change only when all have arrived: in canonical mode their echo says so, in raw mode their number.
// Context: quiesced, restoring. Test: test/probes (terminal/queues, terminal/canonical, terminal/stopped, terminal/packets).
#include <poll.h>

#include "terminal/pty.h"
#include "terminal/pty_packing.h"

#ifndef TIOCPKT_IOCTL
#define TIOCPKT_IOCTL 64
#endif

namespace cairn::terminal {
namespace {

constexpr uint32_t line_size = 4096;       // of the kernel's line buffer, which holds one byte less
constexpr uint32_t most_bytes = 64 * 1024;  // in one direction; the kernel keeps about 12 KB
constexpr uint32_t most_records = 4096;
constexpr uint32_t piece_size = 512;       // echoed at once
constexpr int patience = 20000;            // pauses of 100 us

int16_t poll_now(long fd, int16_t events) {
  struct pollfd one = {static_cast<int32_t>(fd), events, 0};
  struct timespec at_once = {};
  return sys(SYS_ppoll, pointer(&one), 1, pointer(&at_once), 0, 8) == 1 ? one.revents : int16_t{0};
}

/// Waits until condition() holds, at most two seconds.
template <typename Condition>
bool wait_until(Condition condition) {
  for (int i = 0; i < patience; ++i) {
    if (condition()) return true;
    struct timespec pause = {0, 100'000};
    sys(SYS_nanosleep, pointer(&pause));
  }
  return condition();
}

uint32_t readable(long fd) {
  int32_t count = 0;
  return control(fd, FIONREAD, &count) < 0 ? 0 : static_cast<uint32_t>(count);
}

bool by_lines(const struct termios2& modes) { return (modes.c_lflag & ICANON) != 0 && (modes.c_lflag & EXTPROC) == 0; }

/// Nothing is changed, echoed, or a signal. ICANON and EXTPROC stay: a change of them loses where lines end.
struct termios2 plain(const struct termios2& modes) {
  struct termios2 result = modes;
  result.c_iflag = 0;
  result.c_oflag = 0;
  result.c_lflag = modes.c_lflag & (ICANON | EXTPROC);
  for (cc_t& character : result.c_cc) character = 0;
  if (!by_lines(modes)) result.c_cc[VMIN] = 1;
  return result;
}

// While one terminal is drained; what is kept of it is a copy.
char read_bytes[2][most_bytes];
Record read_records[most_records];

/// A growing text of what is read.
struct Collected {
  char* bytes;
  uint32_t size = 0;
  /// Nothing: NULL.
  const char* keep(plugin::Pool* pool) {
    auto* copy = size > 0 ? static_cast<char*>(pool->take(host, size)) : nullptr;
    for (uint32_t i = 0; copy != nullptr && i < size; ++i) copy[i] = bytes[i];
    // Zero again, so that it costs nothing in an image.
    for (uint32_t i = 0; i < size; ++i) bytes[i] = 0;
    if (copy == nullptr) size = 0;
    return copy;
  }
  /// One read: the count, or -errno.
  long read(long fd) {
    long count = sys(SYS_read, fd, pointer(bytes + size), static_cast<long>(most_bytes - size < line_size ? most_bytes - size : line_size));
    if (count > 0) size += static_cast<uint32_t>(count);
    return count;
  }
};

bool ends_line(char last, const struct termios2& modes) {
  auto byte = static_cast<cc_t>(last);
  if (last == '\n') return true;
  return byte != 0 && (byte == modes.c_cc[VEOL] || (byte == modes.c_cc[VEOL2] && (modes.c_lflag & IEXTEN) != 0));
}

int32_t drain_lines(Pty* pty, int32_t master, int32_t slave, Collected* input, plugin::Pool* pool) {
  uint32_t count = 0;
  while ((poll_now(slave, POLLIN) & POLLIN) != 0 && count < most_records) {
    long size = input->read(slave);
    if (size == -EAGAIN) break;
    if (size < 0) return static_cast<int32_t>(size);
    bool line = size > 0 && ends_line(input->bytes[input->size - 1], pty->modes);
    read_records[count++] = {static_cast<uint32_t>(size), !line};
  }
  auto* records = count > 0 ? static_cast<Record*>(pool->take(host, count * sizeof(Record))) : nullptr;
  for (uint32_t i = 0; records != nullptr && i < count; ++i) records[i] = read_records[i];
  pty->queues.records = records;
  pty->queues.record_count = records != nullptr ? count : 0;
  // The rest is a line that has not ended: it can be read when lines do not count.
  struct termios2 modes = pty->modes;
  modes.c_lflag &= ~static_cast<tcflag_t>(ICANON);
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  control(master, TCSETS2, &modes);
  long size = 0;
  while (readable(slave) > 0 && (size = input->read(slave)) > 0) {}
  control(master, TCSETS2, &pty->modes);
  return size < 0 && size != -EAGAIN ? static_cast<int32_t>(size) : 0;
}

int32_t drain_input(Pty* pty, int32_t master, int32_t slave, plugin::Pool* pool) {
  Collected input = {read_bytes[0]};
  if (!by_lines(pty->modes)) {
    poll_now(slave, POLLIN);  // bytes on the way arrive
    if (readable(slave) == 0) return 0;
  }
  int32_t error = 0;
  if (by_lines(pty->modes)) {
    error = drain_lines(pty, master, slave, &input, pool);
  } else {
    long size = 0;
    while ((size = input.read(slave)) > 0) {}
    if (size < 0 && size != -EAGAIN) error = static_cast<int32_t>(size);
  }
  pty->queues.input = input.keep(pool);
  pty->queues.input_size = input.size;
  return error;
}

int32_t drain_output(Collected* output, int32_t master) {
  while ((poll_now(master, POLLIN) & POLLIN) != 0) {
    long size = output->read(master);
    if (size == -EAGAIN || size == -EIO || size == 0) return 0;
    if (size < 0) return static_cast<int32_t>(size);
  }
  return 0;
}

bool writable(int32_t slave) { return (poll_now(slave, POLLOUT) & POLLOUT) != 0; }

/// With an empty queue only a stop keeps the slave's end from being written to. Lets output go on.
Stopped find_stop(const Pty& pty, int32_t master, int32_t slave) {
  if (slave < 0 || writable(slave)) return Stopped::no;
  struct termios2 modes = pty.modes;
  modes.c_iflag &= ~static_cast<tcflag_t>(IXON);
  control(master, TCSETS2, &modes);  // ends a stop by a character
  Stopped found = writable(slave) ? Stopped::by_character : Stopped::by_call;
  if (found == Stopped::by_call) control(slave, TCXONC, long{1 /* TCOON */});
  control(master, TCSETS2, &pty.modes);
  return found;
}

// ---- Putting back -----------------------------------------------------------------------------------------------------------

int32_t write_all(int32_t fd, const char* bytes, uint32_t size) {
  uint32_t done = 0;
  long error = 0;
  bool whole = wait_until([&] {
    while (done < size) {
      long count = sys(SYS_write, fd, pointer(bytes + done), size - done);
      if (count == -EAGAIN || count == 0) return false;
      if (count < 0) {
        error = count;
        return true;
      }
      done += static_cast<uint32_t>(count);
    }
    return true;
  });
  return error < 0 ? static_cast<int32_t>(error) : whole ? 0 : -ETIMEDOUT;
}

/// First what the line discipline's buffer holds, so that all blocks in front of it are whole ones.
template <typename Arrived>
int32_t fill(int32_t fd, const char* bytes, uint32_t size, Arrived arrived) {
  uint32_t first = size < line_size - 1 ? size : line_size - 1;
  if (int32_t error = write_all(fd, bytes, first)) return error;
  if (!wait_until([&] { return arrived() >= first; })) return -ETIMEDOUT;
  Packing waiting(fd);
  int32_t error = waiting.add(bytes + first, size - first);
  return error != 0 ? error : waiting.end();
}

/// Reads what was echoed, and throws it away.
bool await_echo(int32_t master, uint32_t size) {
  uint32_t seen = 0;
  return wait_until([&] {
    char bytes[piece_size];
    while (seen < size) {
      long count = sys(SYS_read, master, pointer(bytes), sizeof bytes);
      if (count <= 0) return false;
      seen += static_cast<uint32_t>(count);
    }
    return true;
  });
}

/// A byte that is not in the text and ends no line; 0: there is none.
cc_t unused_byte(const Queues& queues, const struct termios2& modes, cc_t but) {
  bool used[256] = {};
  for (uint32_t i = 0; i < queues.input_size; ++i) used[static_cast<uint8_t>(queues.input[i])] = true;
  for (int byte = 255; byte > 0; --byte) {
    if (!used[byte] && byte != but && byte != '\n' && byte != modes.c_cc[VEOL] && byte != modes.c_cc[VEOL2]) return static_cast<cc_t>(byte);
  }
  return 0;
}

int32_t refill_lines(const Pty& pty, int32_t master) {
  const Queues& queues = pty.queues;
  struct termios2 modes = plain(pty.modes);
  cc_t end_of_file = unused_byte(queues, pty.modes, 0), reprint = unused_byte(queues, pty.modes, end_of_file);
  modes.c_lflag |= ECHO | (pty.modes.c_lflag & IEXTEN);
  modes.c_cc[VEOL] = pty.modes.c_cc[VEOL];
  modes.c_cc[VEOL2] = pty.modes.c_cc[VEOL2];
  modes.c_cc[VEOF] = end_of_file;
  control(master, TCSETS2, &modes);
  const char* from = queues.input;
  uint32_t in_buffer = 0, left = queues.input_size;
  bool silent = false;  // what was written last is not echoed
  Packing waiting(master);
  for (uint32_t i = 0; i <= queues.record_count; ++i) {
    uint32_t size = i < queues.record_count ? queues.records[i].size : left;
    left -= size;
    while (size > 0) {
      // What the line buffer does not hold waits in front of it, and is echoed when the application reads.
      uint32_t room = line_size - 1 - in_buffer;
      uint32_t piece = room == 0 ? size : size < piece_size ? size : piece_size;
      if (room > 0 && piece > room) piece = room;
      if (int32_t error = room == 0 ? waiting.add(from, piece) : write_all(master, from, piece)) return error;
      if (room > 0) {
        in_buffer += piece;
        if (!await_echo(master, piece)) return -ETIMEDOUT;
      }
      from += piece;
      size -= piece;
      silent = false;
    }
    if (i < queues.record_count && queues.records[i].ended && end_of_file != 0) {
      char byte = static_cast<char>(end_of_file);
      bool fits = in_buffer < line_size - 1;
      if (int32_t error = fits ? write_all(master, &byte, 1) : waiting.add(&byte, 1)) return error;
      if (fits) ++in_buffer;
      silent = true;
    }
  }
  if (int32_t error = waiting.end()) return error;
  if (!silent || reprint == 0 || in_buffer >= line_size - 1) return 0;
  // The character that shows the line again changes nothing, and is echoed, with a line feed.
  modes.c_lflag |= IEXTEN;
  modes.c_cc[VREPRINT] = reprint;
  control(master, TCSETS2, &modes);
  char byte = static_cast<char>(reprint);
  int32_t error = write_all(master, &byte, 1);
  return error != 0 ? error : await_echo(master, 2) ? 0 : -ETIMEDOUT;
}

int32_t refill_input(const Pty& pty, int32_t master, int32_t slave) {
  const Queues& queues = pty.queues;
  if (queues.input_size == 0 && queues.record_count == 0) return 0;
  if (by_lines(pty.modes)) return refill_lines(pty, master);
  struct termios2 modes = plain(pty.modes);
  control(master, TCSETS2, &modes);
  return fill(master, queues.input, queues.input_size, [slave] { return readable(slave); });
}

int32_t refill_output(const Pty& pty, int32_t master, int32_t slave) {
  const Queues& queues = pty.queues;
  if (queues.output_size == 0) return 0;
  struct termios2 modes = plain(pty.modes);
  if (slave < 0) {
    // The slave's end was never open, and opening it now would leave a mark: what is to be read is an echo.
    modes.c_lflag = ECHO;
    control(master, TCSETS2, &modes);
    int32_t error = write_all(master, queues.output, queues.output_size);
    if (error == 0 && !wait_until([&] { return readable(master) >= queues.output_size; })) error = -ETIMEDOUT;
    control(master, TCSETSF2, &modes);
    return error;
  }
  control(master, TCSETS2, &modes);
  return fill(slave, queues.output, queues.output_size, [master] { return readable(master); });
}

void stop(const Pty& pty, int32_t master, int32_t slave) {
  if (slave < 0 || pty.stopped == Stopped::no) return;
  if (pty.stopped == Stopped::by_call) {
    control(slave, TCXONC, long{0 /* TCOOFF */});
    return;
  }
  char byte = static_cast<char>(pty.modes.c_cc[VSTOP]);
  (void)write_all(master, &byte, 1);
  (void)wait_until([&] { return !writable(slave); });
}

/// Turns packet mode on, with the state that the next packet would tell: what leads to it is done again. A flush that was not yet
/// told of is not, where something was written after it.
void begin_packets(const Pty& pty, int32_t master, int32_t slave) {
  int32_t on = 1;
  control(master, TIOCPKT, &on);
  if (slave < 0) return;
  uint8_t state = pty.packet_state;
  if ((state & TIOCPKT_FLUSHREAD) != 0 && pty.queues.input_size == 0 && pty.queues.record_count == 0) control(slave, TCFLSH, long{0});
  if ((state & TIOCPKT_FLUSHWRITE) != 0 && pty.queues.output_size == 0) control(slave, TCFLSH, long{1});
  if ((state & (TIOCPKT_DOSTOP | TIOCPKT_NOSTOP)) != 0) {
    struct termios2 other = pty.modes;
    other.c_cc[VSTOP] = '\023';
    other.c_cc[VSTART] = '\021';
    if ((state & TIOCPKT_DOSTOP) != 0) other.c_iflag &= ~static_cast<tcflag_t>(IXON);
    else other.c_iflag |= IXON;
    control(master, TCSETS2, &other);
    control(master, TCSETS2, &pty.modes);
  }
  if ((state & TIOCPKT_START) != 0) {
    control(slave, TCXONC, long{0});
    control(slave, TCXONC, long{1});
  }
}

}  // namespace

int32_t Packing::add(const char* bytes, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) {
    block_[filled_++] = bytes[i];
    // One that ends where the kernel counts the limit, which is not more than that: another one follows.
    bool whole = filled_ == piece || written_ + filled_ == limit;
    if (!whole) continue;
    if (int32_t error = write()) return error;
  }
  return 0;
}

int32_t Packing::write() {
  int32_t error = write_all(fd_, block_, filled_);
  written_ += filled_;
  filled_ = 0;
  return error;
}

int32_t drain(Pty* pty, int32_t master, int32_t slave, plugin::Pool* pool) {
  Collected output = {read_bytes[1]};
  // Input first: reading it may let more be echoed.
  int32_t error = slave < 0 ? 0 : drain_input(pty, master, slave, pool);
  if (error == 0) error = drain_output(&output, master);
  if (error == 0) pty->stopped = find_stop(*pty, master, slave);
  // What was held back.
  if (error == 0 && pty->stopped != Stopped::no) error = drain_output(&output, master);
  pty->queues.output = output.keep(pool);
  pty->queues.output_size = output.size;
  return error;
}

int32_t refill(const Pty& pty, int32_t master, int32_t slave) {
  int32_t error = refill_input(pty, master, slave);
  int32_t second = refill_output(pty, master, slave);
  control(master, TCSETS2, &pty.modes);
  bool told = (pty.packet_state & TIOCPKT_STOP) != 0;
  if (!told) stop(pty, master, slave);
  if (pty.packets) begin_packets(pty, master, slave);
  if (told) stop(pty, master, slave);
  return error != 0 ? error : second;
}

}  // namespace cairn::terminal
