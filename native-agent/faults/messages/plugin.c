/*
 * Faults in messages: dropped, corrupted, delayed, sent twice or in another order, on a chosen connection, in the calls by which the program sends
 * and receives them. Settings: fault-messages.schema.json. Built from <cairn/plugin.h> alone. For 64-bit programs.
 *
 * Bytes go through as the program sends them, as long as no fault is for their message: what a call gives, and when it waits, is the kernel's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "cairn/plugin.h"
#include "common/phrase.h"
#include "common/report.h"
#include "messages/connections.h"
#include "messages/faults.h"

_Static_assert((int)FAULTS == (int)REPORT_FAULTS, "each has its place in the report");

enum { MOST_HELD = 16 << 20, PART = 4096 };

static const struct cairn_host *host;
static struct faults faults, wanted;
static uint32_t here; /* a bit for each that this program has */
static struct reporting reporting;
static struct {
  uint64_t messages;
  uint64_t injected;
  uint64_t effective;
} counts[FAULTS];

static const char *const effects[] = {"", "dropped", "corrupted", "delayed", "sent twice", "sent behind the next one"};

/* ---- What became of a message ---- */
/* The first ones each, then fewer and fewer. */
static int is_told(uint64_t count) { return count <= 16 || (count & (count - 1)) == 0; }

static void done(uint32_t index, uint64_t number, int effective) {
  const uint64_t injected = __atomic_add_fetch(&counts[index].injected, 1, __ATOMIC_RELAXED);
  __atomic_add_fetch(&reporting.now->counts[index].injected, 1, __ATOMIC_RELAXED);
  if (effective) __atomic_add_fetch(&counts[index].effective, 1, __ATOMIC_RELAXED);
  if (effective || reporting.now->results[index].status != EFFECTIVE) report_result(&reporting, index, effective ? EFFECTIVE : UNCHANGED, "");
  if (!is_told(injected)) return;
  struct text text = {.size = 0};
  add(&text, "fault ");
  add_number(&text, index + 1);
  add(&text, ": message ");
  add_number(&text, number);
  add(&text, " was ");
  add(&text, effective ? effects[faults.list[index].effect] : "as it would have been");
  host->log(CAIRN_LOG_INFO, text.bytes);
}

static void wait_for(uint64_t ns) {
  struct timespec end;
  host->syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&end, 0, 0, 0, 0);
  ns += (uint64_t)end.tv_nsec;
  end.tv_sec += (time_t)(ns / 1000000000u);
  end.tv_nsec = (long)(ns % 1000000000u);
  while (host->syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, (long)&end, 0, 0, 0) == -EINTR) {
  }
}

/* A message begins: the first fault that it is for. Also where the kernel takes nothing of it yet: it has its number and its fault. */
static void begin_message(struct stream *stream) {
  stream->begun = 1;
  stream->active = -1;
  stream->changed = 0;
  if (stream->waits < 0) stream->held_size = 0;
  for (uint32_t i = 0; i < faults.count; ++i) {
    if ((stream->faults & 1u << i) == 0) continue;
    const uint64_t n = __atomic_add_fetch(&counts[i].messages, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&reporting.now->counts[i].reached, 1, __ATOMIC_RELAXED);
    if (stream->active < 0 && chosen_has(&faults.list[i].messages, n)) stream->active = (int32_t)i, stream->number = n;
  }
  if (stream->active < 0) return;
  const struct fault *fault = &faults.list[stream->active];
  if (fault->effect == DELAY) wait_for(fault->delay_ns);
  /* One waits already: this one is the next. */
  if (fault->effect == REORDER && stream->waits >= 0) stream->active = -1;
  if (fault->effect == DUPLICATE && stream->waits >= 0) stream->active = -1;
}

/* Bytes of the message under way, from `position` of it on. */
static void corrupt(struct stream *stream, uint64_t position, uint8_t *bytes, uint64_t size) {
  const struct fault *fault = &faults.list[stream->active];
  for (uint64_t i = 0; i < fault->size; ++i) {
    const uint64_t at = fault->offset + i;
    if (at < position || at >= position + size) continue;
    uint8_t *byte = &bytes[at - position];
    const uint8_t now = (uint8_t)((*byte & fault->keep[i]) ^ fault->bytes[i]);
    stream->changed |= now != *byte;
    *byte = now;
  }
}

static int is_error(long result) { return result < 0 && result > -4096; }

static int hold(struct stream *stream, const uint8_t *bytes, uint64_t size) {
  const uint64_t needed = stream->held_size + size;
  if (needed > MOST_HELD) return 0;
  if (needed > stream->held_room) {
    const uint64_t room = (needed * 2 + 65535) & ~(uint64_t)65535;
    const long place = stream->held_room == 0
                           ? host->syscall(SYS_mmap, 0, (long)room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                           : host->syscall(SYS_mremap, (long)stream->held, (long)stream->held_room, (long)room, MREMAP_MAYMOVE, 0, 0);
    if (is_error(place)) return 0;
    stream->held = (uint8_t *)place;
    stream->held_room = room;
  }
  memcpy(stream->held + stream->held_size, bytes, size);
  stream->held_size += size;
  return 1;
}

/* ---- Sending ---- */
/* The next lower layer's call, with other bytes; what goes along with a message goes with its first ones. */
struct sending {
  int fd;
  int flags;                  /* of send */
  int is_send;
  const struct msghdr *message; /* of sendmsg, until it has gone */
};
static cairn_function next_read, next_write, next_readv, next_writev, next_send, next_recv, next_sendto, next_recvfrom, next_sendmsg, next_recvmsg,
    next_close, next_fclose, next_shutdown, next_dup2, next_dup3, next_close_range, next_closefrom, next__exit, next__Exit, next_quick_exit;
#define NEXT(name, ...) ((ssize_t(*)(__VA_ARGS__))next_##name)
#define NEXT_INT(name, ...) ((int (*)(__VA_ARGS__))next_##name)

static ssize_t emit(struct sending *to, const uint8_t *bytes, uint64_t size) {
  if (to->message != NULL) {
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = *to->message;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t sent = NEXT(sendmsg, int, const struct msghdr *, int)(to->fd, &message, to->flags);
    if (sent >= 0) to->message = NULL, to->is_send = 1;
    return sent;
  }
  return to->is_send ? NEXT(send, int, const void *, size_t, int)(to->fd, bytes, size, to->flags) : NEXT(write, int, const void *, size_t)(to->fd, bytes, size);
}

/* What the program does not send itself just now: it goes as a whole, also where the call would not wait, without what goes along with the
 * program's own message, and without a signal where nobody reads it. */
static int emit_held(struct stream *stream) {
  struct sending to = {stream->fd, MSG_NOSIGNAL, (int)stream->is_socket, NULL};
  uint64_t sent = 0;
  while (sent < stream->held_size && __atomic_load_n(&stream->asked, __ATOMIC_RELAXED) != CLOSES) {
    const ssize_t part = emit(&to, stream->held + sent, stream->held_size - sent);
    if (part >= 0) {
      sent += (uint64_t)part;
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) break;
    struct pollfd room = {to.fd, POLLOUT, 0};
    (void)poll(&room, 1, -1);
  }
  const int whole = sent == stream->held_size;
  stream->held_size = 0;
  return whole;
}

/* What waits for a next message that does not come goes now. `own`: the descriptor is still what it was. */
static void end_stream(struct stream *stream, uint32_t end, int own) {
  const int begins = stream->active >= 0 && faults.list[stream->active].effect == REORDER;
  if (stream->waits >= 0 || (begins && stream->held_size > 0)) {
    if (own && stream_leads(stream)) (void)emit_held(stream);
    if (stream->waits >= 0) done((uint32_t)stream->waits, stream->waits_number, 0);
    else done((uint32_t)stream->active, stream->number, 0);
    if (stream->waits < 0) stream->active = -1;
    stream->waits = -1;
    stream->held_size = 0;
  }
  if (end == CLOSES) stream_free(host, stream);
}

/* Behind a call. Another thread may have ended the connection meanwhile, and left the rest to this one. */
static void release(struct stream *stream) {
  do {
    const uint32_t end = __atomic_exchange_n(&stream->asked, GOES_ON, __ATOMIC_SEQ_CST);
    if (end != GOES_ON) end_stream(stream, end, end == SHUTS);
    stream_give(stream);
  } while (__atomic_load_n(&stream->asked, __ATOMIC_SEQ_CST) != GOES_ON && stream_try(host, stream));
}

/* Before the connections of these descriptors end. */
static void end_streams(int first, int last, uint32_t end) {
  const int number = errno;
  uint32_t index = 0;
  for (struct stream *stream; here != 0 && (stream = stream_to_end(host, first, last, end, &index)) != NULL;) {
    end_stream(stream, end, 1);
    release(stream);
  }
  errno = number;
}

static void end_all(int status, void *none) {
  (void)status;
  (void)none;
  end_streams(0, INT_MAX, SHUTS);
}

/* One whole message is held. */
static void let_wait(struct stream *stream, uint32_t fault) {
  static uint32_t registered;
  stream->waits = (int32_t)fault;
  stream->waits_number = stream->number;
  /* main() that returns calls exit by no name. */
  if (!__atomic_exchange_n(&registered, 1, __ATOMIC_RELAXED)) (void)on_exit(end_all, NULL);
}

static void message_sent(struct stream *stream) {
  const int32_t active = stream->active;
  const uint32_t effect = active < 0 ? (uint32_t)NO_EFFECT : faults.list[active].effect;
  /* Behind one that is dropped nothing would be seen: it waits for the next one. */
  if (stream->waits >= 0 && effect != DROP) {
    done((uint32_t)stream->waits, stream->waits_number, emit_held(stream));
    stream->waits = -1;
  }
  if (effect == REORDER) let_wait(stream, (uint32_t)active);
  else if (effect == DUPLICATE) done((uint32_t)active, stream->number, stream->held_size > 0 && emit_held(stream));
  else if (active >= 0) done((uint32_t)active, stream->number, effect != CORRUPT || stream->changed);
  stream->active = -1;
}

/* Of the bytes of one message: how many the program is rid of, or -1. */
static ssize_t send_part(struct stream *stream, struct sending *to, const uint8_t *bytes, uint64_t size) {
  const uint32_t effect = stream->active < 0 ? (uint32_t)NO_EFFECT : faults.list[stream->active].effect;
  if (effect == DROP) return (ssize_t)size;
  if (effect == REORDER) {
    /* Descriptors and the like go with the program's own call, and not later. */
    const int has_control = to->message != NULL && to->message->msg_controllen != 0;
    if (!has_control && hold(stream, bytes, size)) return (ssize_t)size;
    if (stream->held_size > 0) (void)emit_held(stream); /* what there is goes first */
    done((uint32_t)stream->active, stream->number, 0);
    stream->active = -1;
    return emit(to, bytes, size);
  }
  if (effect == CORRUPT) {
    uint8_t part[PART];
    /* A datagram as a whole. */
    const long place = size <= PART ? (long)part : host->syscall(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(place)) return emit(to, bytes, size);
    memcpy((void *)place, bytes, size);
    corrupt(stream, stream->parse.position, (uint8_t *)place, size);
    const ssize_t sent = emit(to, (uint8_t *)place, size);
    const int number = errno;
    if (place != (long)part) host->syscall(SYS_munmap, place, (long)size, 0, 0, 0, 0);
    errno = number;
    return sent;
  }
  const ssize_t sent = emit(to, bytes, size);
  if (effect == DUPLICATE && sent > 0 && !hold(stream, bytes, (uint64_t)sent)) { /* too long to be held */
    done((uint32_t)stream->active, stream->number, 0);
    stream->active = -1;
    stream->held_size = 0;
  }
  return sent;
}

static ssize_t send_all(struct stream *stream, struct sending *to, const uint8_t *bytes, uint64_t size) {
  uint64_t sent = 0;
  while (sent < size) {
    if (stream->parse.position == 0) {
      if (!stream->begun) begin_message(stream);
      parse_call(&stream->parse, &stream->rule, size - sent);
    }
    struct parse trial = stream->parse;
    int ends;
    const uint64_t part = parse_take(&trial, &stream->rule, bytes + sent, size - sent, &ends);
    const ssize_t gone = send_part(stream, to, bytes + sent, part);
    if (gone <= 0) return sent > 0 ? (ssize_t)sent : gone;
    stream->begun = 0;
    if ((uint64_t)gone < part) {
      (void)parse_take(&stream->parse, &stream->rule, bytes + sent, (uint64_t)gone, &ends);
      return (ssize_t)(sent + (uint64_t)gone);
    }
    stream->parse = trial;
    sent += part;
    if (ends) message_sent(stream);
  }
  return (ssize_t)sent;
}

/* 0: there is nothing in them, or more than one call takes: the kernel says what that is. */
static uint64_t size_of(const struct iovec *parts, uint64_t count) {
  uint64_t size = 0;
  if (count > IOV_MAX) return 0;
  for (uint64_t i = 0; i < count; ++i)
    if (__builtin_add_overflow(size, parts[i].iov_len, &size) || size > SSIZE_MAX) return 0;
  return size;
}

/* The first bytes of them in a row. The memory is to be given back: size + 1. */
static uint8_t *gather(const struct iovec *parts, uint64_t count, uint64_t size) {
  const long place = host->syscall(SYS_mmap, 0, (long)(size + 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (is_error(place)) return NULL;
  for (uint64_t i = 0, at = 0; i < count && at < size; ++i) {
    const uint64_t left = size - at, part = left < parts[i].iov_len ? left : parts[i].iov_len;
    memcpy((uint8_t *)place + at, parts[i].iov_base, part);
    at += part;
  }
  return (uint8_t *)place;
}

static ssize_t send_parts(struct stream *stream, struct sending *to, const struct iovec *parts, uint64_t count) {
  const uint64_t size = size_of(parts, count);
  uint8_t *row = gather(parts, count, size);
  if (row == NULL) {
    errno = ENOMEM;
    return -1;
  }
  const ssize_t sent = send_all(stream, to, row, size);
  const int number = errno;
  host->syscall(SYS_munmap, (long)row, (long)(size + 1), 0, 0, 0, 0);
  errno = number;
  return sent;
}

/* A call that sends is over. */
static ssize_t sent_by(struct stream *stream, ssize_t sent) {
  const int number = errno;
  release(stream);
  errno = number;
  return sent;
}

static struct stream *sends_on(int fd) {
  const int number = errno;
  struct stream *stream = stream_take(host, &faults, here, fd, 0);
  errno = number;
  return stream;
}

static ssize_t faulty_write(int fd, const void *bytes, size_t size) {
  struct stream *stream = size == 0 ? NULL : sends_on(fd);
  if (stream == NULL) return NEXT(write, int, const void *, size_t)(fd, bytes, size);
  struct sending to = {fd, 0, 0, NULL};
  return sent_by(stream, send_all(stream, &to, bytes, size));
}
static ssize_t faulty_writev(int fd, const struct iovec *parts, int count) {
  struct stream *stream = count <= 0 || size_of(parts, (uint64_t)count) == 0 ? NULL : sends_on(fd);
  if (stream == NULL) return NEXT(writev, int, const struct iovec *, int)(fd, parts, count);
  struct sending to = {fd, 0, 0, NULL};
  return sent_by(stream, send_parts(stream, &to, parts, (uint64_t)count));
}
/* Bytes out of band are none of a message. */
static ssize_t faulty_send(int fd, const void *bytes, size_t size, int flags) {
  struct stream *stream = size == 0 || (flags & MSG_OOB) != 0 ? NULL : sends_on(fd);
  if (stream == NULL) return NEXT(send, int, const void *, size_t, int)(fd, bytes, size, flags);
  struct sending to = {fd, flags, 1, NULL};
  return sent_by(stream, send_all(stream, &to, bytes, size));
}
static ssize_t faulty_sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
  if (address == NULL) return faulty_send(fd, bytes, size, flags);
  return NEXT(sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t)(fd, bytes, size, flags, address, length);
}
static ssize_t faulty_sendmsg(int fd, const struct msghdr *message, int flags) {
  const int passes = message->msg_name != NULL || (flags & MSG_OOB) != 0 || size_of(message->msg_iov, message->msg_iovlen) == 0;
  struct stream *stream = passes ? NULL : sends_on(fd);
  if (stream == NULL) return NEXT(sendmsg, int, const struct msghdr *, int)(fd, message, flags);
  struct sending to = {fd, flags, 0, message};
  return sent_by(stream, send_parts(stream, &to, message->msg_iov, message->msg_iovlen));
}

/* ---- Ends of connections and of the process ---- */
static int faulty_close(int fd) {
  end_streams(fd, fd, CLOSES);
  return NEXT_INT(close, int)(fd);
}
static int faulty_fclose(FILE *file) {
  const int number = errno, fd = fileno(file);
  if (fd >= 0) end_streams(fd, fd, CLOSES);
  errno = number;
  return NEXT_INT(fclose, FILE *)(file);
}
static int faulty_shutdown(int fd, int how) {
  if (how != SHUT_RD) end_streams(fd, fd, SHUTS);
  return NEXT_INT(shutdown, int, int)(fd, how);
}
static int is_open(int fd) { return host->syscall(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0) >= 0; }
static int faulty_dup2(int old, int fd) {
  if (old != fd && is_open(old)) end_streams(fd, fd, CLOSES);
  return NEXT_INT(dup2, int, int)(old, fd);
}
static int faulty_dup3(int old, int fd, int flags) {
  if (old != fd && is_open(old)) end_streams(fd, fd, CLOSES);
  return NEXT_INT(dup3, int, int, int)(old, fd, flags);
}
static int faulty_close_range(unsigned first, unsigned last, int flags) {
  const unsigned most = last > INT_MAX ? INT_MAX : last;
  if (((unsigned)flags & CLOSE_RANGE_CLOEXEC) == 0 && first <= most) end_streams((int)first, (int)most, CLOSES);
  return NEXT_INT(close_range, unsigned, unsigned, int)(first, last, flags);
}
static void faulty_closefrom(int first) {
  end_streams(first < 0 ? 0 : first, INT_MAX, CLOSES);
  ((void (*)(int))next_closefrom)(first);
}
#define ENDS(name) \
  static void faulty_##name(int status) { \
    end_all(status, NULL); \
    ((void (*)(int))next_##name)(status); \
  }
ENDS(_exit)
ENDS(_Exit)
ENDS(quick_exit)

/* ---- Receiving ---- */
/* What is left of the bytes that have come. */
static uint64_t receive_all(struct stream *stream, uint8_t *bytes, uint64_t size) {
  uint64_t kept = 0;
  for (uint64_t at = 0; at < size;) {
    if (stream->parse.position == 0) {
      begin_message(stream);
      parse_call(&stream->parse, &stream->rule, size - at);
    }
    stream->begun = 0;
    const uint64_t position = stream->parse.position;
    int ends;
    const uint64_t part = parse_take(&stream->parse, &stream->rule, bytes + at, size - at, &ends);
    const uint32_t effect = stream->active < 0 ? (uint32_t)NO_EFFECT : faults.list[stream->active].effect;
    if (effect != DROP) {
      memmove(bytes + kept, bytes + at, part);
      if (effect == CORRUPT) corrupt(stream, position, bytes + kept, part);
      kept += part;
    }
    at += part;
    if (!ends) continue;
    if (stream->active >= 0) done((uint32_t)stream->active, stream->number, effect != CORRUPT || stream->changed);
    stream->active = -1;
  }
  return kept;
}

/* What is only looked at comes again; what is out of band, or tells of an error, is no message. */
static int is_message(int flags) { return (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)) == 0; }

/* How many of the bytes that a call has given are there: with MSG_TRUNC it says how long a datagram was, and of a stream what it has thrown away. */
static uint64_t bytes_there(const struct stream *stream, int flags, uint64_t room, ssize_t size) {
  if ((flags & MSG_TRUNC) == 0) return (uint64_t)size;
  if (!stream->datagrams) return 0;
  return (uint64_t)size < room ? (uint64_t)size : room;
}

/* 1: there is something for the program, or the end, or an error; 0: the call is made again. */
static int received(int fd, int flags, void *bytes, size_t room, ssize_t *size) {
  if (*size <= 0 || !is_message(flags)) return 1;
  const int number = errno;
  struct stream *stream = stream_take(host, &faults, here, fd, 1);
  if (stream != NULL) {
    const uint64_t there = bytes_there(stream, flags, room, *size);
    const uint64_t left = receive_all(stream, bytes, there);
    if (left != there) *size = (ssize_t)left;
    release(stream);
  }
  errno = number;
  return *size > 0;
}

static int received_parts(int fd, int flags, const struct iovec *parts, uint64_t count, ssize_t *size) {
  if (*size <= 0 || !is_message(flags)) return 1;
  const int number = errno;
  struct stream *stream = stream_take(host, &faults, here, fd, 1);
  const uint64_t there = stream == NULL ? 0 : bytes_there(stream, flags, size_of(parts, count), *size);
  uint8_t *row = there == 0 ? NULL : gather(parts, count, there);
  if (row != NULL) {
    const uint64_t left = receive_all(stream, row, there);
    if (left != there) *size = (ssize_t)left;
    uint64_t at = 0;
    for (uint64_t i = 0; i < count && at < left; ++i) {
      const uint64_t rest = left - at, part = rest < parts[i].iov_len ? rest : parts[i].iov_len;
      memcpy(parts[i].iov_base, row + at, part);
      at += part;
    }
    host->syscall(SYS_munmap, (long)row, (long)(there + 1), 0, 0, 0, 0);
  }
  if (stream != NULL) release(stream);
  errno = number;
  return *size > 0;
}

/* Descriptors that came with a message of which the program does not learn. */
static void close_passed(struct msghdr *message) {
  const int number = errno;
  for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one != NULL; one = CMSG_NXTHDR(message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = CMSG_LEN(0); at + sizeof(int) <= one->cmsg_len; at += sizeof(int)) {
      int fd;
      memcpy(&fd, (const char *)one + at, sizeof fd);
      (void)NEXT_INT(close, int)(fd);
    }
  }
  errno = number;
}

static ssize_t faulty_read(int fd, void *bytes, size_t size) {
  for (;;) {
    ssize_t got = NEXT(read, int, void *, size_t)(fd, bytes, size);
    if (received(fd, 0, bytes, size, &got)) return got;
  }
}
static ssize_t faulty_readv(int fd, const struct iovec *parts, int count) {
  for (;;) {
    ssize_t got = NEXT(readv, int, const struct iovec *, int)(fd, parts, count);
    if (received_parts(fd, 0, parts, count < 0 ? 0 : (uint64_t)count, &got)) return got;
  }
}
static ssize_t faulty_recv(int fd, void *bytes, size_t size, int flags) {
  for (;;) {
    ssize_t got = NEXT(recv, int, void *, size_t, int)(fd, bytes, size, flags);
    if (received(fd, flags, bytes, size, &got)) return got;
  }
}
static ssize_t faulty_recvfrom(int fd, void *bytes, size_t size, int flags, struct sockaddr *address, socklen_t *length) {
  const socklen_t room = length == NULL ? 0 : *length;
  for (;;) {
    if (length != NULL) *length = room;
    ssize_t got = NEXT(recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *)(fd, bytes, size, flags, address, length);
    if (received(fd, flags, bytes, size, &got)) return got;
  }
}
static ssize_t faulty_recvmsg(int fd, struct msghdr *message, int flags) {
  const struct msghdr before = *message;
  for (;;) {
    ssize_t got = NEXT(recvmsg, int, struct msghdr *, int)(fd, message, flags);
    if (received_parts(fd, flags, message->msg_iov, message->msg_iovlen, &got)) return got;
    close_passed(message);
    *message = before;
  }
}

/* ---- The plugin ---- */
#define WRAP(name) \
  static const struct cairn_wrap wrap_##name = {sizeof wrap_##name, 0, #name, NULL, (cairn_function)faulty_##name, &next_##name, NULL}
WRAP(read);
WRAP(write);
WRAP(readv);
WRAP(writev);
WRAP(send);
WRAP(recv);
WRAP(sendto);
WRAP(recvfrom);
WRAP(sendmsg);
WRAP(recvmsg);
WRAP(close);
WRAP(fclose);
WRAP(shutdown);
WRAP(dup2);
WRAP(dup3);
WRAP(close_range);
WRAP(closefrom);
WRAP(_exit);
WRAP(_Exit);
WRAP(quick_exit);
static const struct cairn_wrap *const wraps[] = {&wrap_read, &wrap_write, &wrap_readv, &wrap_writev, &wrap_send, &wrap_recv,
                                                 &wrap_sendto, &wrap_recvfrom, &wrap_sendmsg, &wrap_recvmsg,
                                                 &wrap_close, &wrap_fclose, &wrap_shutdown, &wrap_dup2, &wrap_dup3, &wrap_close_range, &wrap_closefrom,
                                                 &wrap__exit, &wrap__Exit, &wrap_quick_exit, NULL};

static int32_t take_settings(const char *settings) {
  const char *why = faults_read(settings, &wanted);
  if (why != NULL) return host->fail(-EINVAL, "settings", why);
  faults = wanted;
  here = 0;
  for (uint32_t i = 0; i < faults.count; ++i) {
    const char *program = faults.list[i].program;
    /* As it was started: /proc/self/exe names another program in a restarted process. */
    if (program[0] == 0 || strcmp(program_invocation_short_name, program) == 0) here |= 1u << i;
  }
  memset(counts, 0, sizeof counts);
  streams_forget();
  return report_open(&reporting, host, faults.report);
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return take_settings(settings);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_SETTINGS: {
      const int32_t result = take_settings(data);
      return result < 0 ? result : 1;
    }
    case CAIRN_EVENT_MAPPING_SAVE:
    case CAIRN_EVENT_MAPPING_RESTORE: return report_event(&reporting, host, number, data);
    case CAIRN_EVENT_FORK_CHILD:
      streams_forked();
      memset(counts, 0, sizeof counts); /* each process has its first message, as one that executes a program has */
      return 0;
    case CAIRN_EVENT_PRECHECKPOINT: streams_saved(host); return 0;
    case CAIRN_EVENT_RESTART:
      streams_restarted();
      memset(counts, 0, sizeof counts);
      report_clear(&reporting);
      return 0;
    default: return 0;
  }
}

static void row(cairn_emit_row emit_row, void *context, uint32_t index, const char *what, const uint64_t *counter) {
  struct text name = {.size = 0}, value = {.size = 0};
  add(&name, "fault ");
  add_number(&name, index + 1);
  add(&name, what);
  add_number(&value, __atomic_load_n(counter, __ATOMIC_RELAXED));
  const struct cairn_row one = {sizeof one, 0, name.bytes, value.bytes, "", effects[faults.list[index].effect], 0};
  emit_row(context, &one);
}

static void rows(const char *table, cairn_emit_row emit_row, void *context) {
  if (strcmp(table, "plugin") != 0) return;
  for (uint32_t i = 0; i < faults.count; ++i) {
    if ((here & 1u << i) == 0) continue;
    row(emit_row, context, i, ": messages", &counts[i].messages);
    row(emit_row, context, i, ": injected", &counts[i].injected);
    row(emit_row, context, i, ": effective", &counts[i].effective);
  }
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "fault-messages",
    .version = "1.0",
    .author = "Cairn",
    .init = init,
    .event = event,
    .rows = rows,
    .wraps = wraps,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
