#define _GNU_SOURCE
#include "messages/connections.h"

#include "cairn/messages.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct stream streams[STREAMS];
static uint32_t lock;

static int ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), part = strlen(end);
  return part <= length && strcmp(text + length - part, end) == 0;
}

/* "10.0.0.1:80", "[::1]:80", "/run/name", "@abstract", "". 1: it is a path. */
static int name_of(const struct sockaddr_storage *address, socklen_t size, char *text, size_t capacity) {
  char host[INET6_ADDRSTRLEN] = "";
  text[0] = 0;
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)address;
    (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    (void)snprintf(text, capacity, "%s:%u", host, ntohs(in->sin_port));
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const void *)address;
    (void)inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
    (void)snprintf(text, capacity, "[%s]:%u", host, ntohs(in->sin6_port));
  } else if (address->ss_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path)) {
    const struct sockaddr_un *un = (const void *)address;
    const int length = (int)(size - offsetof(struct sockaddr_un, sun_path));
    if (un->sun_path[0] == 0) (void)snprintf(text, capacity, "@%.*s", length - 1, un->sun_path + 1);
    else return snprintf(text, capacity, "%.*s", length, un->sun_path) > 0;
  }
  return 0;
}

struct names {
  uint32_t kind;
  char peer[256];
  char local[256];
  char path[1024];
};

/* 0: it is not known yet, as of a socket that is not connected. */
static int look(int fd, const struct stat *found, struct names *names) {
  memset(names, 0, sizeof *names);
  if (S_ISFIFO(found->st_mode)) {
    char link[32];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, names->path, sizeof names->path - 1);
    names->path[size < 0 ? 0 : size] = 0;
    names->kind = names->path[0] == '/' ? FIFO : PIPE;
    return 1;
  }
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  names->kind = SOCKET;
  if (getpeername(fd, (struct sockaddr *)&address, &size) < 0) return 0;
  if (name_of(&address, size, names->peer, sizeof names->peer)) strcpy(names->path, names->peer);
  size = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return 1;
  if (name_of(&address, size, names->local, sizeof names->local) && names->path[0] == 0) strcpy(names->path, names->local);
  return 1;
}

static int is_on(const struct fault *fault, const struct names *names) {
  if (fault->kind != ANY_KIND && fault->kind != names->kind) return 0;
  if (fault->peer[0] != 0 && !ends_with(names->peer, fault->peer)) return 0;
  if (fault->local[0] != 0 && !ends_with(names->local, fault->local)) return 0;
  return fault->path[0] == 0 || ends_with(names->path, fault->path);
}

static int is_datagrams(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_STREAM;
}

/* What a descriptor is first used for, or again after it has led elsewhere. */
static void find(const struct cairn_host *host, const struct faults *faults, uint32_t here, struct stream *stream, const struct stat *found) {
  struct names names;
  stream->faults = 0;
  stream->parse = (struct parse){0};
  stream->active = stream->waits = -1;
  stream->held_size = 0;
  stream->device = found->st_dev;
  stream->inode = found->st_ino;
  if (!look(stream->fd, found, &names)) {
    stream->inode = UINT64_MAX; /* it is looked at again */
    return;
  }
  for (uint32_t i = 0; i < faults->count; ++i) {
    const struct fault *fault = &faults->list[i];
    if ((here & 1u << i) == 0 || fault->receives != stream->receives || !is_on(fault, &names)) continue;
    if (stream->faults == 0) stream->rule = names.kind == SOCKET && is_datagrams(stream->fd) ? (struct rule){0} : fault->rule;
    stream->faults |= 1u << i;
  }
  if (stream->faults == 0 || stream->rule.kind != BY_EXTENSION) return;
  const struct cairn_messages *told = host->extension(stream->rule.extension);
  stream->rule.length = told == NULL || told->size < sizeof *told ? NULL : told->length;
  if (stream->rule.length == NULL) host->log(CAIRN_LOG_WARNING, "fault-messages: no plugin tells where messages end by the extension of the rule: each call is one");
}

static int take_lock(const struct cairn_host *host, uint32_t *word, uint32_t self) {
  for (uint32_t free = 0; !__atomic_compare_exchange_n(word, &free, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED); free = 0) {
    if (free == self) return 0; /* a signal handler, in a thread that has it */
    const struct timespec pause = {0, 50000}; /* it may be within a call that waits */
    host->syscall(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
  }
  return 1;
}

void stream_give(struct stream *stream) { __atomic_store_n(&stream->lock, 0, __ATOMIC_RELEASE); }

struct stream *stream_take(const struct cairn_host *host, const struct faults *faults, uint32_t here, int fd, int receives) {
  struct stat found;
  if (here == 0 || fstat(fd, &found) < 0 || (!S_ISFIFO(found.st_mode) && !S_ISSOCK(found.st_mode))) return NULL;
  const uint32_t self = (uint32_t)gettid();
  if (!take_lock(host, &lock, self)) return NULL;
  struct stream *free = NULL, *stream = NULL;
  for (uint32_t i = 0; i < STREAMS && stream == NULL; ++i) {
    struct stream *one = &streams[i];
    /* Of one that no fault is on, the place may be another's. */
    if (!one->used || (free == NULL && one->faults == 0 && one->lock == 0)) free = free == NULL || !one->used ? one : free;
    if (!one->used) continue;
    if (one->fd == fd && one->receives == (uint32_t)receives) stream = one;
  }
  if (stream == NULL && free != NULL) {
    stream = free;
    stream->used = 1;
    stream->fd = fd;
    stream->receives = (uint32_t)receives;
    stream->inode = UINT64_MAX;
    stream->faults = 0;
    stream->lock = 0;
  }
  __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
  if (stream == NULL || !take_lock(host, &stream->lock, self)) return NULL;
  if (stream->device == 0 && stream->inode == 0) {
    stream->device = found.st_dev;
    stream->inode = found.st_ino;
  }
  if (stream->device != found.st_dev || stream->inode != found.st_ino) find(host, faults, here, stream, &found);
  if (stream->faults != 0) return stream;
  stream_give(stream);
  return NULL;
}

void streams_restarted(void) {
  for (uint32_t i = 0; i < STREAMS; ++i)
    if (streams[i].inode != UINT64_MAX) streams[i].device = streams[i].inode = 0;
}

void streams_forked(void) {
  lock = 0;
  for (uint32_t i = 0; i < STREAMS; ++i) {
    streams[i].lock = 0;
    streams[i].held_size = 0;
    streams[i].waits = -1;
  }
}

void streams_forget(void) {
  for (uint32_t i = 0; i < STREAMS; ++i) streams[i].used = 0;
}
