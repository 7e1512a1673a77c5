// Calls on sockets that wait for more than one thing, which a checkpoint finds when part of it is done: sendmmsg of datagrams and on a stream,
// recvmmsg, recvmsg with MSG_WAITALL, read, readv and recv with SO_RCVLOWAT, sendfile and splice to a stream. Each gives the whole count, and
// leaves no error on its socket.
// sabotage: poke @total
// attached: not the whole count: what interrupts the calls first is the attach
// churn: threads fds
#include "../probe.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { SENDMMSG, SENDMMSG_STREAM, RECVMMSG, RECVMSG, READ, READV, RECV, SENDFILE, SENDFILE_AT, SPLICE, KINDS };
static const char *const names[] = {"sendmmsg", "sendmmsg on a stream", "recvmmsg", "recvmsg with MSG_WAITALL", "read", "readv",
                                    "recv", "sendfile", "sendfile with an offset", "splice"};
enum { MESSAGES = 200, PART = 8, BYTES = 1 << 20, LOW = 1000, LARGE = 1 << 20, PIPED = 1 << 20 };
static int ends[KINDS][2], file, pipe_ends[2];
static volatile long given[KINDS], error_after[KINDS], units = 1;
static struct mmsghdr messages[3][MESSAGES];
static struct iovec parts[3][MESSAGES];
static char block[3][MESSAGES][PART], *data, taken[KINDS][LOW * 2];
static off_t position;

static char byte_at(long place) { return (char)((unsigned long)place * 2654435761u >> 13); }

static long call(int kind) {
  int fd = ends[kind][0];
  switch (kind) {
    case SENDMMSG:
    case SENDMMSG_STREAM: return sendmmsg(fd, messages[kind], MESSAGES, 0);
    case RECVMMSG: return recvmmsg(fd, messages[kind], MESSAGES, 0, NULL);
    case RECVMSG: {
      struct iovec list[2] = {{taken[kind], 100}, {taken[kind] + 100, LOW - 100}};
      struct msghdr header = {.msg_iov = list, .msg_iovlen = 2};
      return recvmsg(fd, &header, MSG_WAITALL);
    }
    case READ: return read(fd, taken[kind], LOW * 2);
    case READV: {
      struct iovec list[2] = {{taken[kind], 100}, {taken[kind] + 100, LOW}};
      return readv(fd, list, 2);
    }
    case RECV: return recv(fd, taken[kind], LOW, 0);
    case SENDFILE: return sendfile(fd, file, NULL, LARGE);
    case SENDFILE_AT: return sendfile(fd, file, &position, LARGE);
    default: return splice(pipe_ends[0], NULL, fd, NULL, 1 << 20, 0);
  }
}

static void *body(void *argument) {
  int kind = (int)(long)argument;
  long result = call(kind);
  int error = errno, after = 0;
  socklen_t size = sizeof after;
  getsockopt(ends[kind][0], SOL_SOCKET, SO_ERROR, &after, &size);
  error_after[kind] = after;
  given[kind] = result == -1 ? -error : result;
  return argument;
}

static void put(int fd, long from, long to) {
  while (from < to) {
    ssize_t count = write(fd, data + from, (size_t)(to - from));
    CHECK(count > 0, "write");
    from += count;
  }
}
static void take(int kind, int fd, long from, long to) {
  static char bytes[1 << 16];
  while (from < to) {
    ssize_t count = read(fd, bytes, (size_t)(to - from) < sizeof bytes ? (size_t)(to - from) : sizeof bytes);
    CHECK(count > 0, "%s: %ld bytes came", names[kind], from);
    for (ssize_t i = 0; i < count; i++) CHECK(bytes[i] == byte_at(from + i), "%s: byte %ld is wrong", names[kind], from + i);
    from += count;
  }
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pthread_t threads[KINDS];
  data = (char *)malloc(BYTES);
  for (long i = 0; i < BYTES; i++) data[i] = byte_at(i);
  CHECK((file = open("cut_messages.data", O_RDWR | O_CREAT | O_TRUNC, 0600)) >= 0, "open");
  put(file, 0, LARGE);
  lseek(file, 0, SEEK_SET);
  CHECK(pipe(pipe_ends) == 0 && fcntl(pipe_ends[1], F_SETPIPE_SZ, PIPED) == PIPED, "pipe");
  put(pipe_ends[1], 0, PIPED);
  for (long kind = 0; kind < KINDS; kind++) {
    int datagrams = kind == SENDMMSG || kind == RECVMMSG, small = 4096, low = LOW;
    CHECK(socketpair(AF_UNIX, datagrams ? SOCK_DGRAM : SOCK_STREAM, 0, ends[kind]) == 0, "socketpair");
    if (kind == SENDMMSG) CHECK(setsockopt(ends[kind][0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0, "SO_SNDBUF");
    if (kind == READ || kind == READV || kind == RECV) CHECK(setsockopt(ends[kind][0], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low) == 0, "SO_RCVLOWAT");
    if (kind <= RECVMMSG) {
      for (int i = 0; i < MESSAGES; i++) {
        parts[kind][i] = kind == SENDMMSG_STREAM ? (struct iovec){data + i * (BYTES / MESSAGES), BYTES / MESSAGES} : (struct iovec){block[kind][i], PART};
        messages[kind][i].msg_hdr.msg_iov = &parts[kind][i];
        messages[kind][i].msg_hdr.msg_iovlen = 1;
        if (kind == SENDMMSG) memset(block[kind][i], i, PART);
      }
    }
    char message[PART];
    for (int i = 0; kind == RECVMMSG && i < 3; i++) CHECK(send(ends[kind][1], memset(message, i, PART), PART, 0) == PART, "send");
    if (kind >= RECVMSG && kind <= RECV) put(ends[kind][1], 0, 300);
    pthread_create(&threads[kind], NULL, body, (void *)kind);
  }
  probe_sleep_ms(200);
  probe_note("total", (uint64_t)(uintptr_t)&units);
  probe_hold();
  for (int kind = 0; kind < KINDS; kind++) CHECK(given[kind] == 0, "%s gave %ld before there was room", names[kind], given[kind]);
  long wanted[KINDS] = {MESSAGES, MESSAGES, MESSAGES, LOW, LOW, LOW, LOW, LARGE, LARGE, PIPED};
  for (int kind = 0; kind < KINDS; kind++) {
    int other = ends[kind][1];
    char message[PART];
    if (kind == SENDMMSG) {
      for (int i = 0; i < MESSAGES; i++) CHECK(read(other, message, PART) == PART && message[3] == (char)i, "%s: message %d", names[kind], i);
    } else if (kind == RECVMMSG) {
      for (int i = 3; i < MESSAGES; i++) CHECK(send(other, memset(message, i, PART), PART, 0) == PART, "send");
    } else if (kind == SENDMMSG_STREAM) {
      take(kind, other, 0, BYTES / MESSAGES * MESSAGES);
    } else if (kind >= RECVMSG && kind <= RECV) {
      put(other, 300, LOW);
    } else {
      take(kind, other, 0, wanted[kind]);
    }
    pthread_join(threads[kind], NULL);
    CHECK(given[kind] == wanted[kind] * units, "%s gave %ld of %ld", names[kind], given[kind], wanted[kind]);
    CHECK(error_after[kind] == 0, "%s left error %ld", names[kind], error_after[kind]);
    if (kind >= RECVMSG && kind <= RECV) CHECK(memcmp(taken[kind], data, LOW) == 0, "%s: bytes", names[kind]);
  }
  for (int i = 0; i < MESSAGES; i++) {
    CHECK(messages[SENDMMSG_STREAM][i].msg_len == BYTES / MESSAGES, "message %d of the stream has %u bytes", i, messages[SENDMMSG_STREAM][i].msg_len);
    CHECK(messages[RECVMMSG][i].msg_len == PART && block[RECVMMSG][i][5] == (char)i, "message %d that came", i);
  }
  CHECK(position == LARGE && lseek(file, 0, SEEK_CUR) == LARGE, "positions %ld and %ld", (long)position, (long)lseek(file, 0, SEEK_CUR));
  return probe_ok();
}
