#include "remote/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cairn::remote {
namespace {

constexpr size_t piece = 16 * 1024;
constexpr size_t at_once = 4096;  // what a pipe takes without blocking once it takes anything (PIPE_BUF)

struct Header {
  uint32_t kind;
  uint32_t size;
};

/// Bytes on their way to a descriptor; nothing is read for it while there are some.
struct Pending {
  char bytes[sizeof(Header) + piece];
  size_t size = 0;
  size_t done = 0;
  [[nodiscard]] bool empty() const { return done == size; }
};

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  [[nodiscard]] bool can_send() const { return out_.empty(); }
  [[nodiscard]] short events(bool takes) const { return static_cast<short>((out_.empty() ? 0 : POLLOUT) | (takes && !whole() ? POLLIN : 0)); }
  [[nodiscard]] int fd() const { return fd_; }

  void send(Kind kind, const void* bytes, size_t size) {
    Header header = {kind, static_cast<uint32_t>(size)};
    memcpy(out_.bytes, &header, sizeof header);
    memcpy(out_.bytes + sizeof header, bytes, size);
    out_.size = sizeof header + size;
    out_.done = 0;
  }
  /// False: the other side is gone.
  bool go_on(short events) {
    if ((events & POLLOUT) != 0 && !out_.empty()) {
      ssize_t count = ::send(fd_, out_.bytes + out_.done, out_.size - out_.done, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) out_.done += static_cast<size_t>(count);
      else if (errno != EAGAIN && errno != EINTR) return false;
    }
    if ((events & (POLLIN | POLLHUP | POLLERR)) == 0 || whole()) return true;
    size_t wanted = in_.size < sizeof(Header) ? sizeof(Header) : sizeof(Header) + header().size;
    ssize_t count = recv(fd_, in_.bytes + in_.size, wanted - in_.size, MSG_DONTWAIT);
    if (count > 0) in_.size += static_cast<size_t>(count);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR)) return false;
    return in_.size < sizeof(Header) || header().size <= piece;
  }
  /// A frame is there.
  [[nodiscard]] bool whole() const { return in_.size >= sizeof(Header) && in_.size == sizeof(Header) + header().size; }
  [[nodiscard]] Header header() const {
    Header header;
    memcpy(&header, in_.bytes, sizeof header);
    return header;
  }
  [[nodiscard]] const char* body() const { return in_.bytes + sizeof(Header); }
  void next() { in_.size = 0; }

 private:
  int fd_;
  Pending out_, in_;
};

/// Writes a frame's bytes to `fd`, which poll has said to take something; true: all of them are written, or nobody reads.
bool write_some(int fd, const char* bytes, size_t size, size_t* done) {
  size_t part = size - *done < at_once ? size - *done : at_once;
  ssize_t count = part == 0 ? 0 : write(fd, bytes + *done, part);
  if (count < 0) return errno != EAGAIN && errno != EINTR;
  *done += static_cast<size_t>(count);
  return *done == size;
}

/// Reads from *fd and sends it as `kind`; the end is an empty frame.
void pass_on(Connection* connection, Kind kind, int* fd) {
  char bytes[piece];
  ssize_t count = read(*fd, bytes, sizeof bytes);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  connection->send(kind, bytes, count > 0 ? static_cast<size_t>(count) : 0);
  if (count > 0) return;
  if (*fd > 2) close(*fd);
  *fd = -1;
}

int status_of(int wait_status) { return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status); }

bool ready(const struct pollfd& one) { return (one.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0; }

}  // namespace

int relay_program(int fd, int to_program, int from_program, int errors_of_program, int program) {
  signal(SIGPIPE, SIG_IGN);
  Connection connection(fd);
  size_t done = 0;
  int status = -1;
  bool told = false;
  for (;;) {
    bool writes = connection.whole() && to_program >= 0;
    bool reads = connection.can_send();
    // The program's end comes after what it has printed.
    if (from_program < 0 && errors_of_program < 0 && status < 0 && waitpid(program, &status, WNOHANG) == 0) status = -1;
    if (status >= 0 && !told && reads) {
      uint32_t value = static_cast<uint32_t>(status_of(status));
      connection.send(ended, &value, sizeof value);
      told = true;
      continue;
    }
    if (told && connection.can_send()) {
      // All is sent; the other side closes.
      shutdown(fd, SHUT_WR);
      return status_of(status);
    }
    struct pollfd waiting[] = {{fd, connection.events(true), 0},
                               {writes ? to_program : -1, POLLOUT, 0},
                               {reads ? from_program : -1, POLLIN, 0},
                               {reads ? errors_of_program : -1, POLLIN, 0}};
    bool waits_for_end = from_program < 0 && errors_of_program < 0 && status < 0;
    if (poll(waiting, 4, waits_for_end ? 20 : -1) < 0 && errno != EINTR) break;
    if (!connection.go_on(waiting[0].revents)) break;
    if (connection.whole() && (to_program < 0 || waiting[1].revents != 0 || connection.header().size == 0)) {
      bool all = to_program < 0 || connection.header().size == 0;
      if (!all) {
        all = write_some(to_program, connection.body(), connection.header().size, &done);
        if (all && done != connection.header().size) close(to_program), to_program = -1;
      } else if (to_program >= 0 && connection.header().kind == input) {
        close(to_program);
        to_program = -1;
      }
      if (all) connection.next(), done = 0;
    }
    if (ready(waiting[2]) && connection.can_send()) pass_on(&connection, output, &from_program);
    if (ready(waiting[3]) && connection.can_send()) pass_on(&connection, error, &errors_of_program);
  }
  // As when a terminal is gone.
  if (status < 0) {
    kill(program, SIGHUP);
    if (to_program >= 0) close(to_program);
    while (waitpid(program, &status, 0) < 0 && errno == EINTR) {
    }
  }
  return status_of(status);
}

int relay_terminal(int fd) {
  signal(SIGPIPE, SIG_IGN);
  Connection connection(fd);
  int source = 0;
  size_t done = 0;
  for (;;) {
    bool whole = connection.whole();
    int target = !whole ? -1 : connection.header().kind == output ? 1 : connection.header().kind == error ? 2 : -1;
    struct pollfd waiting[] = {{fd, connection.events(true), 0}, {target, POLLOUT, 0}, {connection.can_send() ? source : -1, POLLIN, 0}};
    if (!whole || target >= 0) {
      if (poll(waiting, 3, -1) < 0 && errno != EINTR) return 255;
    }
    if (!connection.go_on(waiting[0].revents)) return 255;
    if (whole) {
      Header header = connection.header();
      if (header.kind == ended && header.size == sizeof(uint32_t)) {
        uint32_t status = 0;
        memcpy(&status, connection.body(), sizeof status);
        return static_cast<int>(status);
      }
      if (target < 0 || header.size == 0 || (waiting[1].revents != 0 && write_some(target, connection.body(), header.size, &done))) {
        connection.next();
        done = 0;
      }
    }
    if (source >= 0 && ready(waiting[2]) && connection.can_send()) pass_on(&connection, input, &source);
  }
}

}  // namespace cairn::remote
