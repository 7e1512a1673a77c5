// Blocking writes of more than there is room for, which a checkpoint finds half done: each gives the whole count, as without it, by write,
// writev, send and sendmsg, on pipes and stream sockets; and so does a recv with MSG_WAITALL. In threads of their own, read by a child.
// sabotage: poke @total
// attached: not the whole count: what interrupts the calls first is the attach
#include "../probe.h"
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { KINDS = 5, BYTES = 3 << 20 };
static int ends[KINDS][2], go[2];
static const char *const names[KINDS] = {"write", "writev", "send", "sendmsg", "recv with MSG_WAITALL"};
static unsigned char *data[KINDS];
static volatile long given[KINDS], total = BYTES;
static volatile int begun;

static unsigned char byte_at(int kind, long position) { return (unsigned char)((unsigned long)(position + kind) * 2654435761u >> 13); }

static void *body(void *argument) {
  int kind = (int)(long)argument;
  struct iovec parts[3] = {{data[kind], 100}, {data[kind] + 100, BYTES / 2}, {data[kind] + 100 + BYTES / 2, BYTES - 100 - BYTES / 2}};
  struct msghdr header = {.msg_iov = parts, .msg_iovlen = 3};
  __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
  switch (kind) {
    case 0: given[kind] = write(ends[kind][1], data[kind], BYTES); break;
    case 1: given[kind] = writev(ends[kind][1], parts, 3); break;
    case 2: given[kind] = send(ends[kind][1], data[kind], BYTES, MSG_NOSIGNAL); break;
    case 3: given[kind] = sendmsg(ends[kind][1], &header, MSG_NOSIGNAL); break;
    default: given[kind] = recv(ends[kind][1], data[kind], BYTES, MSG_WAITALL); break;
  }
  return NULL;
}

// Reads a little, so that the calls are half done, and the rest when it is told to.
static int other_end(void) {
  static unsigned char block[BYTES];
  char byte;
  for (int part = 0; part < 2; part++) {
    if (part == 1 && read(go[0], &byte, 1) != 1) return 9;
    for (int kind = 0; kind < KINDS; kind++) {
      long from = part == 0 ? 0 : 200000, to = part == 0 ? 200000 : BYTES;
      if (kind == 4) {
        for (long i = from; i < to; i++) block[i] = byte_at(kind, i);
        for (long done = from; done < to;) {
          ssize_t count = send(ends[kind][0], block + done, (size_t)(to - done), MSG_NOSIGNAL);
          if (count <= 0) return 10 + kind;
          done += count;
        }
        continue;
      }
      for (long got = from; got < to;) {
        ssize_t count = read(ends[kind][0], block, (size_t)(to - got));
        if (count <= 0) return 10 + kind;
        for (ssize_t i = 0; i < count; i++)
          if (block[i] != byte_at(kind, got + i)) return 20 + kind;
        got += count;
      }
    }
  }
  return 3;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(pipe(go) == 0, "pipe");
  for (int kind = 0; kind < KINDS; kind++) {
    data[kind] = (unsigned char *)malloc(BYTES);
    for (long i = 0; i < BYTES; i++) data[kind][i] = kind == 4 ? 0 : byte_at(kind, i);
    CHECK((kind < 2 ? pipe(ends[kind]) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends[kind])) == 0, "ends");
  }
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    _exit(other_end());
  }
  pthread_t threads[KINDS];
  for (long kind = 0; kind < KINDS; kind++) pthread_create(&threads[kind], NULL, body, (void *)kind);
  WAIT_UNTIL(begun == KINDS, "the threads do not begin");
  probe_sleep_ms(200);
  probe_note("total", (uint64_t)(uintptr_t)&total);
  probe_hold();
  for (int kind = 0; kind < KINDS; kind++) CHECK(given[kind] == 0, "%s gave %ld before there was room", names[kind], given[kind]);
  CHECK(write(go[1], "g", 1) == 1, "write");
  for (int kind = 0; kind < KINDS; kind++) pthread_join(threads[kind], NULL);
  for (int kind = 0; kind < KINDS; kind++) CHECK(given[kind] == total, "%s gave %ld of %ld bytes", names[kind], given[kind], total);
  for (long i = 0; i < BYTES; i++) CHECK(data[4][i] == byte_at(4, i), "byte %ld is wrong", i);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3, "the other end gave %x", (unsigned)status);
  return probe_ok();
}
