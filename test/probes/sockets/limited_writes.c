// Writes on stream sockets with a time limit (SO_SNDTIMEO) that a checkpoint finds waiting, before the first byte or half done: each ends when
// what remained of the limit has passed, with the count of what the other end then gets, or goes on to the whole count when there is room.
// sabotage: call close @reader
// churn: threads
// attached: not known: when a wait began that was there before
#include "../blocking/pauses.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

enum { WRITE, WRITEV, SEND, CALLS };
enum { FULL, HALF, WHOLE, STATES };
enum { KINDS = 2 * STATES * CALLS, BYTES = 2 << 20 };  // Unix and TCP
static const char *const calls[] = {"write", "writev", "send"}, *const states[] = {"nothing yet", "half", "whole"};
static const int64_t WAIT = 3000, LONG = 30000, BEFORE = 1200, TOLERANCE = 1200;  // milliseconds
static int ends[KINDS][2];
static int64_t took[KINDS];
static long gave[KINDS], sent[KINDS];
static char *data;

static int call_of(int kind) { return kind % CALLS; }
static int state_of(int kind) { return kind / CALLS % STATES; }
// One of TCP that is full is not for long: it still makes room in its own memory.
static int is_unix(int kind) { return kind < KINDS / 2 || state_of(kind) == FULL; }
static char byte_at(long position) { return (char)((unsigned long)position * 2654435761u >> 13); }

static void *body(void *argument) {
  int kind = (int)(intptr_t)argument, fd = ends[kind][0];
  size_t size = state_of(kind) == FULL ? 1 : BYTES;
  struct iovec parts[2] = {{data, size / 3}, {data + size / 3, size - size / 3}};
  int64_t start = now();
  long result = call_of(kind) == WRITE ? write(fd, data, size) : call_of(kind) == WRITEV ? writev(fd, parts, 2) : send(fd, data, size, 0);
  int error = errno;
  CHECK(result > 0 || (result == -1 && error == EAGAIN), "%s gave %ld: %s", calls[call_of(kind)], result, strerror(error));
  took[kind] = now() - start;
  gave[kind] = result < 0 ? 0 : result;
  return argument;
}

static void connect_tcp(int pair[2]) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof name;
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listening, (struct sockaddr *)&name, size) == 0 && listen(listening, 1) == 0, "listen");
  CHECK(getsockname(listening, (struct sockaddr *)&name, &size) == 0, "getsockname");
  pair[0] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(pair[0], (struct sockaddr *)&name, size) == 0, "connect");
  pair[1] = accept(listening, NULL, NULL);
  close(listening);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  data = (char *)malloc(BYTES);
  for (long i = 0; i < BYTES; i++) data[i] = byte_at(i);
  pthread_t watcher, threads[KINDS];
  for (int kind = 0; kind < KINDS; kind++) {
    if (is_unix(kind)) CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[kind]) == 0, "socketpair");
    else connect_tcp(ends[kind]);
    struct timeval limit = {(state_of(kind) == WHOLE ? LONG : WAIT) / 1000, 0};
    for (int end = 0; end < 2; end++) {
      int buffer = 1 << 16;
      CHECK(setsockopt(ends[kind][end], SOL_SOCKET, end == 0 ? SO_SNDBUF : SO_RCVBUF, &buffer, sizeof buffer) == 0, "buffers");
    }
    CHECK(setsockopt(ends[kind][0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0, "SO_SNDTIMEO");
    for (ssize_t count; state_of(kind) == FULL && (count = send(ends[kind][0], data + sent[kind], 1 << 16, MSG_DONTWAIT)) > 0;) sent[kind] += count;
    while (state_of(kind) == FULL && send(ends[kind][0], data + sent[kind], 1, MSG_DONTWAIT) == 1) sent[kind]++;
  }
  probe_note("reader", (uint64_t)ends[WHOLE * CALLS][1]);
  pthread_create(&watcher, NULL, watch, NULL);
  for (intptr_t i = 0; i < KINDS; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  probe_sleep_ms(BEFORE);
  probe_hold();
  static char block[1 << 16];
  for (int kind = 0; kind < KINDS; kind++) {
    const char *name = is_unix(kind) ? "Unix" : "TCP", *call = calls[call_of(kind)], *state = states[state_of(kind)];
    int whole = state_of(kind) == WHOLE;
    if (!whole) {
      pthread_join(threads[kind], NULL);
      CHECK(took[kind] >= WAIT - 10, "%s, %s (%s) took %d ms", name, call, state, (int)took[kind]);
      CHECK(took[kind] <= WAIT + pauses + TOLERANCE, "%s, %s (%s) took %d ms, of which nobody ran in %d", name, call, state, (int)took[kind], (int)pauses);
      CHECK(state_of(kind) == FULL ? gave[kind] == 0 : gave[kind] > 0 && gave[kind] < BYTES, "%s, %s (%s) gave %ld", name, call, state, gave[kind]);
      CHECK(shutdown(ends[kind][0], SHUT_WR) == 0, "shutdown");
    }
    long got = 0;
    for (ssize_t count; !(whole && got == BYTES) && (count = read(ends[kind][1], block, sizeof block)) > 0; got += count) {
      for (ssize_t i = 0; i < count; i++) CHECK(block[i] == byte_at(got + i), "%s, %s (%s): byte %ld is wrong", name, call, state, got + i);
    }
    if (whole) pthread_join(threads[kind], NULL);
    CHECK(got == sent[kind] + gave[kind], "%s, %s (%s) gave %ld after %ld, and %ld came", name, call, state, gave[kind], sent[kind], got);
    if (whole) CHECK(got == BYTES && took[kind] < LONG, "%s, %s: %ld bytes in %d ms", name, call, got, (int)took[kind]);
  }
  stop = 1;
  pthread_join(watcher, NULL);
  return probe_ok();
}
